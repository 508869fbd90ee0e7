import type { IDisposable } from '@lumino/disposable';
import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';

import type { Role } from './roles';

/**
 * One code cell, as the panel shows it.
 */
export interface ICellEntry {
  readonly id: string;
  /** Position among all the cells of the notebook, from 1: the number nb2prod's messages use. */
  readonly number: number;
  /** The first line that says something. */
  readonly title: string;
  readonly roles: readonly Role[];
}

/**
 * The cells of one notebook by role, kept up to date while someone looks.
 */
export interface ISectionsModel extends IDisposable {
  /** Different for each open notebook. */
  readonly key: string;
  /** File name of the notebook. */
  readonly title: string;
  /** The notebook's language where it is not Python; null for Python. */
  readonly language: string | null;
  /** Every code cell in the notebook's order. */
  readonly cells: readonly ICellEntry[];
  /** The selected cell, or null where it is not a code cell. */
  readonly activeCell: ICellEntry | null;
  /** Emitted when something shown has really changed. */
  readonly changed: ISignal<ISectionsModel, void>;
  /** Whether it is on the screen; nothing is computed while it is not. */
  isActive: boolean;
  /** Scroll to a cell and select it. */
  jumpTo(cell: ICellEntry): Promise<void>;
  /** Scroll to a line of the cell with this number and select the cell; null for its beginning. */
  goTo(number: number, line: number | null): Promise<void>;
  /** Give a cell a role, or take it away. */
  setRole(cell: ICellEntry, role: Role, on: boolean): void;
}

/**
 * Which notebook is in front, as sections.
 */
export interface ISectionsTracker {
  readonly current: ISectionsModel | null;
  readonly currentChanged: ISignal<ISectionsTracker, ISectionsModel | null>;
}

export const ISectionsTracker = new Token<ISectionsTracker>(
  'nb2prod:ISectionsTracker',
  'The cells of the current notebook by nb2prod role.'
);

/**
 * What is known of nb2prod on the Jupyter server.
 */
export type ServerState =
  | { readonly kind: 'asking' }
  | { readonly kind: 'ready'; readonly version: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreachable'; readonly message: string };

export interface IServerModel {
  readonly state: ServerState;
  readonly changed: ISignal<IServerModel, ServerState>;
  /** Ask the server again. */
  refresh(): Promise<void>;
}
