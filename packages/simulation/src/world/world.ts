import { Compute } from "./compute.ts";
import { Replica } from "./replica.ts";
import { Setting, type SettingOptions } from "./setting.ts";

/** A whole world: the servers and the machines of the workspaces, in their setting. */
export class World {
  readonly setting: Setting;
  readonly compute: Compute;
  readonly replicas: readonly Replica[];

  constructor(options: SettingOptions) {
    this.setting = new Setting(options);
    this.compute = new Compute(this.setting);
    this.replicas = Array.from(
      { length: options.profile.replicas },
      (_, index) => new Replica(this.setting, this.compute, index),
    );
    this.setting.servers.push(...this.replicas);
  }
}
