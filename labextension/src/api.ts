import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

/**
 * A request that nb2prod's server extension did not answer well.
 *
 * `status` is the HTTP status, or null where no answer came at all; `hint` says how to mend it, if anyone knows.
 */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number | null,
    readonly hint = ''
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

/**
 * Call an endpoint below `/nb2prod/` and return its JSON document, checked by `parse`.
 *
 * `parse` throws on a document of another shape.
 */
export async function requestAPI<T>(
  settings: ServerConnection.ISettings,
  path: string,
  parse: (document: unknown) => T,
  init: RequestInit = {}
): Promise<T> {
  const response = await request(settings, path, init);
  try {
    return parse(await response.json());
  } catch (reason) {
    throw new ApiError(`unexpected answer: ${String(reason)}`, response.status);
  }
}

/**
 * Call an endpoint below `/nb2prod/`; whatever is no success is an `ApiError`.
 */
export async function request(
  settings: ServerConnection.ISettings,
  path: string,
  init: RequestInit = {}
): Promise<Response> {
  const [route, query] = path.split('?', 2);
  const url = URLExt.join(settings.baseUrl, 'nb2prod', route ?? '') + (query === undefined ? '' : `?${query}`);
  let response: Response;
  try {
    response = await ServerConnection.makeRequest(url, init, settings);
  } catch (reason) {
    throw new ApiError(reason instanceof Error ? reason.message : String(reason), null);
  }
  if (!response.ok) {
    throw await errorOf(response);
  }
  return response;
}

/**
 * Read a stream of JSON lines and hand on each document, until it ends or `signal` stops it.
 */
export async function readLines(
  settings: ServerConnection.ISettings,
  path: string,
  onDocument: (document: unknown) => void,
  onOpen: () => void,
  signal: AbortSignal
): Promise<void> {
  const response = await request(settings, path, { signal });
  onOpen();
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  while (reader) {
    const { done, value } = await reader.read();
    if (done) {
      return;
    }
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line !== '') {
        onDocument(JSON.parse(line));
      }
    }
  }
}

async function errorOf(response: Response): Promise<ApiError> {
  try {
    const document = (await response.json()) as { error?: { message?: string; hint?: string } };
    if (document.error?.message) {
      return new ApiError(document.error.message, response.status, document.error.hint ?? '');
    }
  } catch {
    // Not ours: a proxy's page, or no body at all.
  }
  return new ApiError(`${response.status} ${response.statusText}`, response.status);
}
