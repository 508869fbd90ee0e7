/**
 * What nb2prod's server extension answers, as far as the panel reads it. `docs/jupyter-api.yaml` has it all.
 */

export type Severity = 'error' | 'warning' | 'info';

/** A change of one cell that mends a problem. */
export interface IFix {
  readonly label: string;
  /** Position of the cell among all cells, from 1. */
  readonly cell: number;
  /** The cell's whole new source; null where only its tags change. */
  readonly source: string | null;
  /** The cell's new tags; null where only its source changes. */
  readonly tags: readonly string[] | null;
}

export interface IDiagnostic {
  readonly code: string;
  readonly title: string;
  readonly severity: Severity;
  readonly message: string;
  readonly hint: string;
  readonly cell: number | null;
  readonly line: number | null;
  readonly source: string;
  readonly fixes?: readonly IFix[];
}

export interface IPlace {
  readonly name: string;
  readonly cell: number;
  readonly line: number;
}

export interface ILine {
  readonly cell: number;
  readonly line: number;
  readonly end_line?: number;
  readonly source: string;
  readonly about_target?: boolean;
}

/** The document of `POST check`. */
export interface ICheck {
  readonly name: string;
  readonly notebook_hash: string;
  readonly verdict: string;
  readonly refused: boolean;
  readonly prediction: IPlace | null;
  readonly raw_table: IPlace | null;
  readonly fields: readonly string[];
  readonly target: readonly string[];
  readonly path: readonly ILine[];
  readonly captured: readonly (IPlace & { readonly reason: string; readonly expression: string })[];
  readonly filters: readonly {
    readonly cell: number;
    readonly line: number;
    readonly source: string;
    readonly kind: string;
    readonly reason: string;
  }[];
  readonly diagnostics: readonly IDiagnostic[];
}

/** `POST kernel`: which kernel a build would run, and what it would have to make. */
export interface IKernelOutlook {
  readonly kernel: string;
  readonly problem: string | null;
  readonly hint: string | null;
  /** All of it for a reader. */
  readonly sentence: string;
}

/** One tag of `POST suggest`. */
export interface IProposedTag {
  readonly cell: number;
  readonly tag: string;
  readonly reason: string;
  readonly new: boolean;
}

export interface IProposal {
  readonly tags: readonly IProposedTag[];
  readonly remark: string;
}

export type BuildState = 'queued' | 'running' | 'proving' | 'proved' | 'refused' | 'cancelled' | 'failed';

/** A build while it runs and after; `GET builds/events` sends one a line. */
export interface IBuild {
  readonly id: string;
  /** Path of the notebook below the server's root. */
  readonly notebook: string;
  readonly state: BuildState;
  readonly queued: string;
  readonly started: string | null;
  readonly ended: string | null;
  readonly stages: readonly { readonly name: string; readonly since: number }[];
  readonly cells: readonly [number, number] | null;
  readonly message: string;
  readonly cancelling: boolean;
  readonly bento: string | null;
  readonly summary: string;
}

/** The plan as the recorded run settled it. */
export interface IRecordedPlan {
  readonly raw_table: string;
  readonly prediction: string;
  readonly fields: readonly string[];
  readonly target: readonly string[];
  readonly path: readonly ILine[];
  readonly captured: readonly {
    readonly name: string;
    readonly cell: number | null;
    readonly line: number | null;
    readonly reason: string;
    readonly value?: string;
  }[];
  readonly filters: readonly {
    readonly cell: number | null;
    readonly line: number | null;
    readonly source: string;
    readonly class: string;
    readonly evidence: string;
    readonly rows_before: number;
    readonly rows_after: number;
  }[];
}

/** `GET builds/<id>`: with its outcome. */
export interface IBuildOutcome extends IBuild {
  readonly diagnostics: readonly IDiagnostic[];
  readonly result?: { readonly path: IRecordedPlan | null; readonly record: string | null };
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
}

export interface IRelease {
  readonly bento: string;
  readonly name: string;
  readonly version: string;
  readonly created: string;
  readonly notebook: string;
  readonly notebook_hash: string;
  readonly data_hash: string | null;
  readonly parity: { readonly passed?: boolean; /** Only a sample was proved, which can't be deployed. */ readonly sample?: boolean; readonly cases?: Readonly<Record<string, number>> };
  readonly plan?: IRecordedPlan;
}

export interface IKind {
  readonly kind: string;
  readonly status: 'passed' | 'failed' | 'not run';
  readonly rows: number;
  readonly differences: number;
  readonly refused: number;
  readonly note: string;
}

export interface IMismatch {
  readonly kind: string;
  readonly case: string;
  readonly reason: string;
  readonly row: number | null;
  readonly row_id: number | null;
  readonly expected: unknown;
  readonly actual: unknown;
  readonly cause: {
    readonly text: string;
    readonly feature: string | null;
    readonly cell: number | null;
    readonly source: string;
  } | null;
}

export interface IReport {
  readonly passed: boolean;
  readonly created: string;
  readonly prediction: string;
  readonly bento: string | null;
  readonly kinds: readonly IKind[];
  readonly mismatches: readonly IMismatch[];
  readonly notes: readonly string[];
  readonly replay: { readonly expected: readonly unknown[]; readonly actual: readonly unknown[] };
}

export type DeploymentState = 'starting' | 'serving' | 'degraded' | 'draining' | 'stopped' | 'failed' | 'gone';

/** What can be done to a deployment; the last four to its staged rollout. */
export type DeploymentAction = 'rollback' | 'stop' | 'restart' | 'advance' | 'abort' | 'pause' | 'resume';

export interface IDeployment {
  readonly name: string;
  /** Name of the Bento. */
  readonly release: string;
  readonly version: string | null;
  readonly bento: string | null;
  readonly previous: string | null;
  readonly state: DeploymentState;
  readonly url: string;
  /** Seconds. */
  readonly uptime: number | null;
  readonly health: string;
  readonly requests: number | null;
  readonly errors: number | null;
  /** Seconds. */
  readonly p50: number | null;
  readonly p99: number | null;
  readonly notebook: string | null;
  readonly notebook_changed: boolean | null;
  readonly rollout: IRollout | null;
  readonly notes: readonly string[];
  readonly events: readonly IDeploymentEvent[];
}

/** A version that gets its callers in stages. */
export interface IRollout {
  /** The canary. */
  readonly version: string;
  readonly stable: string;
  /** As it is spoken of; one of `stages`. */
  readonly stage: string;
  readonly stages: readonly string[];
  /** Of the requests, from 0 to 1. */
  readonly share: number;
  readonly paused: boolean;
  /** Of harm: 1 is none, at `needed` the canary is withdrawn. */
  readonly evidence: number;
  readonly needed: number;
  /** The question that speaks most against the canary. */
  readonly leading: string;
  /** That the canary has answered in this stage. */
  readonly requests: number;
  /** So many, until harm would have been seen. */
  readonly wanted: number | null;
  /** By kind of event: of the canary's requests, of the stable release's. */
  readonly rates: Readonly<Record<string, readonly [number, number]>>;
  readonly awaited: string;
  readonly problem: string;
  /** How it goes, as the notes say it too. */
  readonly sentence: string;
}

export interface IDeploymentEvent {
  /** ISO 8601. */
  readonly at: string;
  readonly what: string;
  readonly version: string | null;
  readonly detail: string;
}

/** A field of a request, as training saw it. */
export interface IField {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly categories: readonly unknown[] | null;
  readonly minimum: unknown;
  readonly maximum: unknown;
}

/** `GET deployments/<name>/form`: what can be asked, with made examples. */
export interface IForm {
  readonly fields: readonly IField[];
  readonly examples: readonly Readonly<Record<string, unknown>>[];
}

/** `POST deployments/<name>/predict`: what the service answered, and how long that took. */
export interface ITried {
  readonly status: number;
  readonly milliseconds: number;
  readonly answer: unknown;
}
