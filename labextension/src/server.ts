import type { ServerConnection } from '@jupyterlab/services';
import { type ISignal, Signal } from '@lumino/signaling';

import { ApiError, requestAPI } from './api';
import type { IServerModel, ServerState } from './tokens';

/**
 * Whether the Jupyter server has nb2prod, and which version.
 */
export class ServerModel implements IServerModel {
  constructor(settings: ServerConnection.ISettings) {
    this._settings = settings;
  }

  get state(): ServerState {
    return this._state;
  }

  get changed(): ISignal<IServerModel, ServerState> {
    return this._changed;
  }

  async refresh(): Promise<void> {
    this._set({ kind: 'asking' });
    try {
      this._set({ kind: 'ready', version: await requestAPI(this._settings, 'version', parseVersion) });
    } catch (reason) {
      // A server without the extension answers 404 to every path below /nb2prod/.
      const missing = reason instanceof ApiError && reason.status === 404;
      this._set(missing ? { kind: 'missing' } : { kind: 'unreachable', message: String(reason) });
    }
  }

  private _set(state: ServerState): void {
    this._state = state;
    this._changed.emit(state);
  }

  private readonly _settings: ServerConnection.ISettings;
  private readonly _changed = new Signal<IServerModel, ServerState>(this);
  private _state: ServerState = { kind: 'asking' };
}

function parseVersion(document: unknown): string {
  if (typeof document === 'object' && document !== null && 'version' in document && typeof document.version === 'string') {
    return document.version;
  }
  throw new TypeError('no version in it');
}
