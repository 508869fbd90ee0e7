import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

interface IProps {
  readonly name: string;
  readonly title: string;
  /** Beside the title: a count, or where the content comes from. */
  readonly aside?: React.ReactNode;
  readonly children: React.ReactNode;
}

/** Which groups are folded, in this window: they stay so as one goes from notebook to notebook. */
const folded = new Set<string>();

/**
 * A part of the panel that can be folded away.
 */
export function Group({ name, title, aside, children }: IProps): React.JSX.Element {
  const [isOpen, setOpen] = React.useState(() => !folded.has(name));
  const id = React.useId();
  const Caret = isOpen ? caretDownIcon : caretRightIcon;
  const toggle = (): void => {
    if (isOpen) {
      folded.add(name);
    } else {
      folded.delete(name);
    }
    setOpen(!isOpen);
  };
  return (
    <section className="nb2prod-Group" data-group={name} aria-labelledby={`${id}-title`}>
      <h3 className="nb2prod-Group-heading">
        <button className="nb2prod-Group-toggle" aria-expanded={isOpen} aria-controls={id} onClick={toggle}>
          <Caret.react tag="span" className="nb2prod-Group-caret" />
          <span id={`${id}-title`}>{title}</span>
        </button>
        {aside !== undefined && <span className="nb2prod-Group-aside">{aside}</span>}
      </h3>
      <div id={id} hidden={!isOpen}>
        {isOpen && children}
      </div>
    </section>
  );
}
