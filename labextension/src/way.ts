import type { CheckState } from './checks';
import { hasEnded } from './builds';
import type { IBuild, ICheck, IDeployment, IDiagnostic, IProposal, IRelease } from './documents';

/** The way from a notebook to a service. */
export const STEPS = ['tag', 'check', 'build', 'deploy'] as const;

export type Step = (typeof STEPS)[number];

/**
 * What one button does next.
 */
export type NextAction =
  | { readonly kind: 'suggest' }
  | { readonly kind: 'accept' }
  | { readonly kind: 'check' }
  | { readonly kind: 'show'; readonly item: IDiagnostic }
  | { readonly kind: 'build' }
  | { readonly kind: 'deploy'; readonly bento: string }
  | { readonly kind: 'start'; readonly deployment: string }
  | { readonly kind: 'try'; readonly deployment: string };

/**
 * All that decides what comes next.
 */
export interface IStanding {
  readonly hasRoles: boolean;
  readonly hasPredict: boolean;
  readonly proposal: IProposal | null;
  readonly state: CheckState;
  readonly check: ICheck | null;
  readonly build: IBuild | null;
  readonly release: IRelease | null;
  /** null where it is not known. */
  readonly hasChanged: boolean | null;
  readonly deployments: readonly IDeployment[];
}

export interface INext {
  /** Where the notebook stands; null once it is served as it is. */
  readonly step: Step | null;
  /** null while something is under way that needs nobody. */
  readonly action: NextAction | null;
}

/** How many errors the check found. */
export function errorsOf(check: ICheck | null): readonly IDiagnostic[] {
  return (check?.diagnostics ?? []).filter(item => item.severity === 'error');
}

/** The deployment of this very release, or one that is starting for the first time; a running one before one that is not. */
export function deploymentOf(release: IRelease, deployments: readonly IDeployment[]): IDeployment | null {
  const own = deployments.filter(
    item => item.release === release.name && (item.version === release.version || (item.version === null && item.state === 'starting'))
  );
  return own.find(item => !isDown(item)) ?? own[0] ?? null;
}

export function isDown(item: IDeployment): boolean {
  return item.state === 'stopped' || item.state === 'gone' || item.state === 'failed';
}

/**
 * The first step that is not done, and what does it.
 */
export function nextOf(standing: IStanding): INext {
  const { hasRoles, hasPredict, proposal, build } = standing;
  if (build !== null && !hasEnded(build)) {
    return { step: 'build', action: null };
  }
  if (proposal !== null && proposal.tags.length > 0) {
    return { step: 'tag', action: { kind: 'accept' } };
  }
  if (!hasRoles || !hasPredict) {
    return { step: 'tag', action: { kind: 'suggest' } };
  }
  return nextOfCheck(standing) ?? nextOfRelease(standing);
}

function nextOfCheck({ state, check }: IStanding): INext | null {
  if (state.kind === 'failed' || (state.kind === 'checked' && state.stale) || (state.kind === 'none' && check === null)) {
    return { step: 'check', action: { kind: 'check' } };
  }
  if (check === null) {
    return { step: 'check', action: null };
  }
  const [first] = errorsOf(check);
  return first === undefined ? null : { step: 'check', action: { kind: 'show', item: first } };
}

function nextOfRelease({ release, hasChanged, deployments }: IStanding): INext {
  // Of a sample alone nothing may be deployed.
  if (release === null || hasChanged !== false || release.parity.sample === true) {
    return { step: 'build', action: { kind: 'build' } };
  }
  const deployment = deploymentOf(release, deployments);
  if (deployment === null) {
    return { step: 'deploy', action: { kind: 'deploy', bento: release.bento } };
  }
  if (isDown(deployment)) {
    return { step: 'deploy', action: { kind: 'start', deployment: deployment.name } };
  }
  if (deployment.state === 'starting' || deployment.state === 'draining') {
    return { step: 'deploy', action: null };
  }
  return { step: null, action: { kind: 'try', deployment: deployment.name } };
}
