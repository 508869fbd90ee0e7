import { LabIcon } from '@jupyterlab/ui-components';

import nb2prodSvg from '../style/icons/nb2prod.svg';

export const nb2prodIcon = new LabIcon({ name: 'nb2prod:icon', svgstr: nb2prodSvg });
