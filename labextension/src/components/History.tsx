import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IDeployment, IRelease } from '../documents';
import type { IDeploymentActions } from './Deployments';

interface IProps {
  readonly item: IDeployment;
  readonly actions: IDeploymentActions;
  readonly trans: TranslationBundle;
}

/**
 * The releases of a deployment, the newest first, each to be deployed or compared with the one before it.
 */
export function History({ item, actions, trans }: IProps): React.JSX.Element {
  const [releases, setReleases] = React.useState<readonly IRelease[] | null>(null);
  const [isOpen, setOpen] = React.useState(false);
  const Caret = isOpen ? caretDownIcon : caretRightIcon;
  const { onReleases } = actions;
  React.useEffect(() => {
    if (isOpen) {
      onReleases(item.release).then(setReleases, () => { setReleases([]); });
    }
  }, [isOpen, item.release, item.version, onReleases]);
  return (
    <div className="nb2prod-History">
      <button className="nb2prod-Group-toggle" aria-expanded={isOpen} onClick={() => { setOpen(!isOpen); }}>
        <Caret.react tag="span" className="nb2prod-Group-caret" />
        {trans.__('Releases')}
      </button>
      {isOpen && releases !== null && (
        <ul className="nb2prod-Rows">
          {releases.map((release, index) => (
            <Row key={release.version} release={release} older={releases[index + 1] ?? null} item={item} actions={actions} trans={trans} />
          ))}
        </ul>
      )}
    </div>
  );
}

function Row({ release, older, item, actions, trans }: IProps & { readonly release: IRelease; readonly older: IRelease | null }): React.JSX.Element {
  const isLive = release.version === item.version;
  return (
    <li>
      <div className="nb2prod-Rows-head">
        <code>{release.version.slice(0, 8)}</code>
        <time dateTime={release.created}>{new Date(release.created).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' })}</time>
        {isLive && <span className="nb2prod-Pill">{trans.__('live')}</span>}
        {release.version === item.previous && <span className="nb2prod-Pill">{trans.__('previous')}</span>}
      </div>
      <div className="nb2prod-Build-actions">
        {!isLive && (
          <button className="nb2prod-Link" onClick={() => { actions.onDeploy(release.bento); }}>
            {trans.__('Deploy')}
          </button>
        )}
        {older !== null && (
          <button className="nb2prod-Link" onClick={() => { actions.onDiff(release, older); }}>
            {trans.__('Compare with %1', older.version.slice(0, 8))}
          </button>
        )}
      </div>
    </li>
  );
}
