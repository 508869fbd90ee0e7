import { LabIcon } from '@jupyterlab/ui-components';

import nb2prodSvg from '../style/icons/nb2prod.svg';
import { type Role, ROLES } from './roles';

export const nb2prodIcon = new LabIcon({ name: 'nb2prod:icon', svgstr: nb2prodSvg });

/** The role's ring, as on its button; the style sheet fills it where the cell has the role. */
export const roleIcons = Object.fromEntries(
  ROLES.map(role => [
    role,
    new LabIcon({
      name: `nb2prod:role-${role}`,
      svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16"><circle class="nb2prod-RoleIcon" data-nb2prod-role="${role}" cx="8" cy="8" r="5" stroke-width="2.5"/></svg>`
    })
  ])
) as Record<Role, LabIcon>;
