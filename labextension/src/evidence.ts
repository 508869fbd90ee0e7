import type { NotebookPanel } from '@jupyterlab/notebook';
import { type ISignal, Signal } from '@lumino/signaling';

import type { BuildsModel } from './builds';
import type { CheckModel } from './checks';
import type { Client } from './client';
import type { IBuild, IBuildOutcome, IRelease, IReport } from './documents';

/**
 * What builds have shown of one notebook: its newest build, its newest release, and the proof of whichever came last.
 */
export class EvidenceModel {
  constructor(
    private readonly _panel: NotebookPanel,
    private readonly _client: Client,
    private readonly _check: CheckModel,
    private readonly _builds: BuildsModel
  ) {
    _check.changed.connect(this._onCheck, this);
    _builds.changed.connect(this._onBuild, this);
    _panel.disposed.connect(this.dispose, this);
  }

  get changed(): ISignal<EvidenceModel, void> {
    return this._changed;
  }

  get path(): string {
    return this._panel.context.localPath;
  }

  get build(): IBuild | null {
    return this._builds.latest(this.path);
  }

  get outcome(): IBuildOutcome | null {
    const build = this.build;
    return build === null ? null : this._builds.outcome(build);
  }

  /** The newest release; null where there is none. */
  get release(): IRelease | null {
    return this._release;
  }

  /** Whether the notebook does something else than what was released; null where that is not known. */
  get hasChanged(): boolean | null {
    const now = this._check.found;
    return this._release === null || now === null ? null : now.notebook_hash !== this._release.notebook_hash;
  }

  /** The newest proof: of the release, or of a later build that it failed. */
  get report(): IReport | null {
    return this._report;
  }

  /** Where the server has that report, below `/nb2prod/`. */
  get reportSource(): string | null {
    return this._reportSource;
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  private _onCheck(): void {
    const name = this._check.found?.name ?? null;
    if (name !== null && name !== this._name) {
      this._name = name;
      void this._fetch();
    } else if (this._release !== null) {
      this._changed.emit();
    }
  }

  private _onBuild(_: BuildsModel, build: IBuild): void {
    if (build.notebook !== this.path) {
      return;
    }
    const outcome = this.outcome;
    if (outcome !== null && outcome.id !== this._outcomeId) {
      this._outcomeId = outcome.id;
      void this._fetch();
    }
    this._changed.emit();
  }

  private async _fetch(): Promise<void> {
    const name = this._name;
    if (name === null) {
      return;
    }
    this._release = await this._client.release(name, 'latest').catch(() => null);
    const source = this._sourceOfReport();
    this._report = source === null ? null : await this._client.report(source).catch(() => null);
    this._reportSource = this._report === null ? null : source;
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private _sourceOfReport(): string | null {
    const outcome = this.outcome;
    if (outcome?.state === 'refused' && outcome.result) {
      return `builds/${outcome.id}`;
    }
    return this._release === null ? null : `releases/${this._release.name}/${this._release.version}`;
  }

  private readonly _changed = new Signal<EvidenceModel, void>(this);
  private _name: string | null = null;
  private _outcomeId: string | null = null;
  private _release: IRelease | null = null;
  private _report: IReport | null = null;
  private _reportSource: string | null = null;
  private _isDisposed = false;
}
