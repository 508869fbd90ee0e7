import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

/**
 * A request that nb2prod's server extension did not answer well.
 *
 * `status` is the HTTP status, or null where no answer came at all.
 */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number | null
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
  const url = URLExt.join(settings.baseUrl, 'nb2prod', path);
  let response: Response;
  try {
    response = await ServerConnection.makeRequest(url, init, settings);
  } catch (reason) {
    throw new ApiError(String(reason), null);
  }
  if (!response.ok) {
    throw new ApiError(`${response.status} ${response.statusText}`, response.status);
  }
  try {
    return parse(await response.json());
  } catch (reason) {
    throw new ApiError(`unexpected answer: ${String(reason)}`, response.status);
  }
}
