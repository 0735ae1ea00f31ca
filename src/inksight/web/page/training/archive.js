// The runs in the browser's storage: their settings, their course, and their networks after each epoch, but not the images.

import { Store } from "../store.js";
import { Run } from "./run.js";

const KEYS = { runs: "id", snapshots: ["run", "epoch"] };
const STORED = ["id", "number", "network", "recipe", "seed", "images", "classNames", "isOwn", "normalization", "start", "spent", "seen", "status"];

export class Archive {
  constructor() {
    this.store = new Store("inksight-runs", KEYS);
  }

  // Return the runs that are stored, the oldest first.
  async read() {
    const { runs, snapshots } = await this.store.read(), restored = runs.map(Run.restored);
    const byId = new Map(restored.map((run) => [run.id, run]));
    for (const { run, weights, confusion } of snapshots) byId.get(run)?.snapshots.push({ weights, confusion });
    for (const run of restored) run.stored = run.snapshots.length;
    // Another tab may have counted from the same number.
    restored.reduce((last, run) => (run.number = Math.max(run.number, last + 1)), 0);
    return restored;
  }

  // Store a run that has trained for an epoch or more, and those networks of it that are not stored yet. Resolves with
  // whether everything is stored.
  keep(run) {
    const { id, history, points, snapshots, stored } = run, record = Object.fromEntries(STORED.map((name) => [name, run[name]]));
    run.stored = snapshots.length;
    return this.store.save([
      { table: "runs", put: { ...record, history: [...history], points: [...points] } },
      ...snapshots.slice(stored).map((snapshot, i) => ({ table: "snapshots", put: { run: id, epoch: stored + i + 1, ...snapshot } }))]);
  }

  // Delete runs. Resolves with whether they are deleted.
  remove(runs) {
    return this.store.save(runs.flatMap(({ id }) => [
      { table: "runs", remove: id }, { table: "snapshots", remove: IDBKeyRange.bound([id], [id, []]) }])); // any number is below []
  }
}
