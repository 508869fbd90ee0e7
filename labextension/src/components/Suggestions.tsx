import { checkIcon, closeIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IProposal, IProposedTag } from '../documents';
import { isRole, type Role } from '../roles';
import type { IRoleWords } from '../words';

interface IProps {
  readonly proposal: IProposal | null;
  readonly error: string | null;
  readonly words: Record<Role, IRoleWords>;
  readonly trans: TranslationBundle;
  /** The cell's number now; null where it is gone. */
  readonly numberOf: (tag: IProposedTag) => number | null;
  /** null where the way's own button suggests. */
  readonly onSuggest: (() => void) | null;
  readonly onAccept: (tags: readonly IProposedTag[]) => void;
  readonly onDismiss: (tags: readonly IProposedTag[]) => void;
  readonly onGo: (cell: number) => void;
}

/**
 * Tags that are proposed, to be taken or left one by one or all at once.
 */
export function Suggestions(props: IProps): React.JSX.Element | null {
  const { proposal, error, trans, onSuggest, onDismiss } = props;
  if (proposal === null) {
    if (onSuggest === null && error === null) {
      return null;
    }
    return (
      <div className="nb2prod-Suggest">
        {onSuggest !== null && (
          <button className="nb2prod-Link" onClick={onSuggest}>
            {trans.__('Suggest tags')}
          </button>
        )}
        {error !== null && <p role="alert">{trans.__('No suggestion: %1', error)}</p>}
      </div>
    );
  }
  if (proposal.tags.length === 0) {
    return (
      <div className="nb2prod-Suggest" role="status">
        <p>{proposal.remark === '' ? trans.__('The tags fit: there is nothing to add.') : proposal.remark}</p>
        <button className="nb2prod-Button" onClick={() => { onDismiss([]); }}>
          {trans.__('Close')}
        </button>
      </div>
    );
  }
  return (
    <section className="nb2prod-Suggest" aria-label={trans.__('Suggested tags')}>
      <ul className="nb2prod-Suggest-list">
        {proposal.tags.map(tag => (
          <Proposed key={`${tag.cell} ${tag.tag}`} tag={tag} {...props} />
        ))}
      </ul>
      <div className="nb2prod-Suggest-all">
        <button className="nb2prod-Button" onClick={() => { onDismiss(proposal.tags); }}>
          {trans.__('Dismiss all')}
        </button>
      </div>
    </section>
  );
}

function Proposed({ tag, words, trans, numberOf, onAccept, onDismiss, onGo }: IProps & { readonly tag: IProposedTag }): React.JSX.Element | null {
  const number = numberOf(tag);
  if (number === null) {
    return null;
  }
  const name = isRole(tag.tag) ? words[tag.tag].tag : tag.tag;
  return (
    <li className="nb2prod-Proposed" data-nb2prod-role={tag.tag}>
      <button className="nb2prod-Proposed-text" onClick={() => { onGo(number); }}>
        <span className="nb2prod-Proposed-head">
          <span className="nb2prod-Proposed-tag">{name}</span>
          <span className="nb2prod-Quiet-inline">{trans.__('cell %1', number)}</span>
        </span>
        <span className="nb2prod-Proposed-reason">{tag.reason}</span>
      </button>
      <button className="nb2prod-IconButton" aria-label={trans.__('Accept %1 for cell %2', name, number)} title={trans.__('Accept')} onClick={() => { onAccept([tag]); }}>
        <checkIcon.react tag="span" />
      </button>
      <button className="nb2prod-IconButton" aria-label={trans.__('Dismiss %1 for cell %2', name, number)} title={trans.__('Dismiss')} onClick={() => { onDismiss([tag]); }}>
        <closeIcon.react tag="span" />
      </button>
    </li>
  );
}
