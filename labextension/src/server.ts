import { type ISignal, Signal } from '@lumino/signaling';

import { ApiError } from './api';
import type { Client } from './client';
import type { IServerModel, ServerState } from './tokens';

/**
 * Whether the Jupyter server has nb2prod, and which version.
 */
export class ServerModel implements IServerModel {
  constructor(private readonly _client: Client) {}

  get state(): ServerState {
    return this._state;
  }

  get changed(): ISignal<IServerModel, ServerState> {
    return this._changed;
  }

  async refresh(): Promise<void> {
    if (this._state.kind !== 'ready') {
      this._set({ kind: 'asking' });
    }
    try {
      this._set({ kind: 'ready', version: await this._client.version() });
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

  private readonly _changed = new Signal<IServerModel, ServerState>(this);
  private _state: ServerState = { kind: 'asking' };
}
