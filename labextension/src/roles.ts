/**
 * What a tag makes of a cell. The names are the tags themselves, as they stand in the notebook file.
 */
export const ROLES = ['parameters', 'data', 'feature', 'train', 'predict', 'fallback'] as const;

/** The roles that nearly every notebook has; the others are found one step away. */
export const FIRST_ROLES = ['feature', 'train', 'predict'] as const satisfies readonly (typeof ROLES)[number][];

export type Role = (typeof ROLES)[number];

export function isRole(tag: string): tag is Role {
  return (ROLES as readonly string[]).includes(tag);
}

/**
 * The roles among a cell's tags, in the order of `ROLES`.
 */
export function rolesOf(tags: readonly string[]): Role[] {
  return ROLES.filter(role => tags.includes(role));
}

/**
 * A cell's tags with one role switched on or off; every other tag stays, in its place.
 */
export function withRole(tags: readonly string[], role: Role, on: boolean): string[] {
  const others = tags.filter(tag => tag !== role);
  return on ? [...others, role] : others;
}
