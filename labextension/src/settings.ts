import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { type ISignal, Signal } from '@lumino/signaling';

/**
 * What the user set; `schema/panel.json` describes each and has the same defaults.
 */
export interface ISettingValues {
  readonly autoCheck: boolean;
  /** Milliseconds without a keystroke before a check. */
  readonly checkDelay: number;
  readonly badges: boolean;
  readonly cellDiagnostics: boolean;
  /** Seconds between two looks at the deployments. */
  readonly pollInterval: number;
  readonly saveBeforeBuild: boolean;
  readonly askBeforeStop: boolean;
  readonly askBeforeRollBack: boolean;
  readonly defaultTarget: 'process' | 'container';
}

export const DEFAULTS: ISettingValues = {
  autoCheck: true,
  checkDelay: 600,
  badges: true,
  cellDiagnostics: true,
  pollInterval: 2,
  saveBeforeBuild: false,
  askBeforeStop: true,
  askBeforeRollBack: true,
  defaultTarget: 'process'
};

/**
 * The settings as they are now; the defaults until JupyterLab has read them, and where it has none.
 */
export class Settings {
  get values(): ISettingValues {
    return this._values;
  }

  get changed(): ISignal<Settings, ISettingValues> {
    return this._changed;
  }

  /** Follow these settings of JupyterLab's. */
  follow(settings: ISettingRegistry.ISettings): void {
    this._settings = settings;
    const read = (): void => {
      this._values = { ...DEFAULTS, ...settings.composite };
      this._changed.emit(this._values);
    };
    settings.changed.connect(read);
    read();
  }

  async set<K extends keyof ISettingValues>(key: K, value: ISettingValues[K]): Promise<void> {
    await this._settings?.set(key, value);
  }

  private _settings: ISettingRegistry.ISettings | null = null;
  private _values: ISettingValues = DEFAULTS;
  private readonly _changed = new Signal<Settings, ISettingValues>(this);
}
