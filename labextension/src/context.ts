import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { BuildsModel } from './builds';
import type { Client } from './client';
import type { DeploymentsModel } from './deployments';
import type { ModelsTracker } from './factory';
import type { LineMarks } from './lineMarks';
import type { PathHighlight } from './pathHighlight';
import type { Settings } from './settings';
import type { IServerModel } from './tokens';

/**
 * What the panel, the commands and the notebook's decorations share.
 */
export interface IContext {
  readonly app: JupyterFrontEnd;
  readonly client: Client;
  readonly server: IServerModel;
  readonly models: ModelsTracker;
  readonly builds: BuildsModel;
  readonly deployments: DeploymentsModel;
  readonly settings: Settings;
  readonly marks: LineMarks;
  readonly highlight: PathHighlight;
  readonly trans: TranslationBundle;
}
