import type { ServerConnection } from '@jupyterlab/services';
import type { JSONObject } from '@lumino/coreutils';

import { readLines, request, requestAPI } from './api';
import type { DeploymentAction, IBuild, IBuildOutcome, ICheck, IDeployment, IForm, IKernelOutlook, IProposal, IRelease, IReport, ITried } from './documents';
import type { IWatching } from './watching';

/**
 * nb2prod's endpoints, each as a function. Every one throws an `ApiError` where it fails.
 */
export class Client {
  constructor(private readonly _settings: ServerConnection.ISettings) {}

  version(): Promise<string> {
    return this._get<{ version: string }>('version', 'version').then(document => document.version);
  }

  check(path: string, content: JSONObject): Promise<ICheck> {
    return this._post('check', { path, content }, 'diagnostics');
  }

  kernel(path: string, content: JSONObject): Promise<IKernelOutlook> {
    return this._post('kernel', { path, content }, 'sentence');
  }

  suggest(path: string, content: JSONObject): Promise<IProposal> {
    return this._post('suggest', { path, content }, 'tags');
  }

  startBuild(path: string): Promise<IBuild> {
    return this._post('builds', { path }, 'id');
  }

  cancelBuild(id: string): Promise<IBuild> {
    return this._call('DELETE', `builds/${id}`, null, 'id');
  }

  build(id: string): Promise<IBuildOutcome> {
    return this._get(`builds/${id}`, 'diagnostics');
  }

  /** Hear of every build until the server ends the stream; `onOpen` when it has begun. */
  followBuilds(onBuild: (build: IBuild) => void, onOpen: () => void, signal: AbortSignal): Promise<void> {
    const read = (document: unknown): void => {
      onBuild(shaped<IBuild>(document, 'id'));
    };
    return readLines(this._settings, 'builds/events', read, onOpen, signal);
  }

  releases(name: string): Promise<readonly IRelease[]> {
    const path = `releases?name=${encodeURIComponent(name)}`;
    return this._get<{ releases: readonly IRelease[] }>(path, 'releases').then(document => document.releases);
  }

  release(name: string, version: string): Promise<IRelease> {
    return this._get(`releases/${name}/${version}`, 'plan');
  }

  /** The parity report below `builds/<id>` or `releases/<name>/<version>`. */
  report(of: string): Promise<IReport> {
    return this._get(`${of}/report`, 'kinds');
  }

  deployments(): Promise<readonly IDeployment[]> {
    return this._get<{ deployments: readonly IDeployment[] }>('deployments', 'deployments').then(
      document => document.deployments
    );
  }

  /** Answers once the release is live, or has failed to become it. */
  deploy(bento: string, options: JSONObject): Promise<IDeployment> {
    return this._post('deployments', { bento, ...options }, 'name');
  }

  act(name: string, action: DeploymentAction): Promise<IDeployment> {
    return this._post(`deployments/${name}/${action}`, {}, 'name');
  }

  form(name: string): Promise<IForm> {
    return this._get(`deployments/${name}/form`, 'fields');
  }

  tryIt(name: string, row: JSONObject, key: string): Promise<ITried> {
    return this._post(`deployments/${name}/predict`, { rows: [row], key }, 'status');
  }

  /** A look at what a deployment is asked and answers. */
  watching(name: string): Promise<IWatching> {
    return this._get(`watching/${name}`, 'series');
  }

  /** The open alarms have been seen; answers with a look. */
  acknowledge(name: string, why: string): Promise<IWatching> {
    return this._post(`watching/${name}`, { acknowledge: why }, 'series');
  }

  text(path: string): Promise<string> {
    return request(this._settings, path).then(response => response.text());
  }

  private _get<T>(path: string, key: string): Promise<T> {
    return this._call('GET', path, null, key);
  }

  private _post<T>(path: string, body: JSONObject, key: string): Promise<T> {
    return this._call('POST', path, body, key);
  }

  private _call<T>(method: string, path: string, body: JSONObject | null, key: string): Promise<T> {
    const init: RequestInit = body === null ? { method } : { method, body: JSON.stringify(body) };
    return requestAPI(this._settings, path, document => shaped<T>(document, key), init);
  }
}

/** The server and this panel come in one package: one telling key is check enough that the answer is ours. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller says what it asked for
function shaped<T>(document: unknown, key: string): T {
  if (typeof document === 'object' && document !== null && key in document) {
    return document as T;
  }
  throw new TypeError(`no ${key} in it`);
}
