/** `flight_delay:ba99600d`: a version is told apart by its beginning. */
export function shortName(bento: string): string {
  const [name, version] = bento.split(':');
  return version === undefined ? bento : `${name ?? ''}:${version.slice(0, 8)}`;
}
