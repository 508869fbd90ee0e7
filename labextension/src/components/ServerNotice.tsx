import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ServerState } from '../tokens';

interface IProps {
  readonly state: ServerState;
  readonly trans: TranslationBundle;
  readonly onRetry: () => void;
}

/**
 * Says that the server cannot help, and how to mend it; nothing while all is well.
 */
export function ServerNotice({ state, trans, onRetry }: IProps): React.JSX.Element | null {
  if (state.kind === 'ready' || state.kind === 'asking') {
    return null;
  }
  const missing = state.kind === 'missing';
  return (
    <div className="nb2prod-Notice" role="status" data-state={state.kind}>
      <p className="nb2prod-Notice-title">
        {missing ? trans.__('This server does not have nb2prod') : trans.__('The server does not answer')}
      </p>
      <p>
        {missing
          ? trans.__(
              'Tags can be edited. To check and build, install nb2prod where Jupyter Server runs (pip install nb2prod) and start it again.'
            )
          : trans.__('Tags can be edited. To check and build, nb2prod needs the Jupyter server (%1).', state.message)}
      </p>
      <button className="jp-Dialog-button jp-mod-reject jp-mod-styled nb2prod-Notice-retry" onClick={onRetry}>
        {trans.__('Ask again')}
      </button>
    </div>
  );
}
