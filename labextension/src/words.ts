import type { TranslationBundle } from '@jupyterlab/translation';

import type { Role } from './roles';

/**
 * What a role is called, and what its cells do.
 */
export interface IRoleWords {
  /** On the button that tags one cell. */
  readonly tag: string;
  /** Above the cells that have it. */
  readonly heading: string;
  readonly meaning: string;
  /** Shown where no cell has it yet; null for a role that a notebook need not have. */
  readonly empty: string | null;
}

export function roleWords(trans: TranslationBundle): Record<Role, IRoleWords> {
  return {
    parameters: {
      tag: trans.__('Parameters'),
      heading: trans.__('Parameters'),
      meaning: trans.__('Values that a build can set from outside'),
      empty: null
    },
    data: {
      tag: trans.__('Data'),
      heading: trans.__('Data'),
      meaning: trans.__('Loads the raw table'),
      empty: null
    },
    feature: {
      tag: trans.__('Feature'),
      heading: trans.__('Features'),
      meaning: trans.__('Turns raw rows into what the model is given'),
      empty: trans.__('Cells that turn raw rows into what the model is given.')
    },
    train: {
      tag: trans.__('Train'),
      heading: trans.__('Train'),
      meaning: trans.__('Fits the model'),
      empty: trans.__('Cells that fit the model.')
    },
    predict: {
      tag: trans.__('Predict'),
      heading: trans.__('Predict'),
      meaning: trans.__('Makes the predictions that the service will answer with'),
      empty: trans.__('The cell that predicts. A build needs one.')
    },
    fallback: {
      tag: trans.__('Fallback'),
      heading: trans.__('Fallback'),
      meaning: trans.__('Answers by a rule where the model can not'),
      empty: null
    }
  };
}
