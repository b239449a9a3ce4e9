/** What a benchmark measured, as it is kept in `docs/bench/*.json`: single runs, never only their medians. */

export interface Report {
  readonly rows: readonly RowReport[];
}

export interface RowReport {
  readonly id: string;
  readonly title: string;
  /** What was warm, and what else the numbers rest on. */
  readonly conditions: string;
  /** RFC 3339. */
  readonly measuredAt: string;
  readonly machine: Machine;
  readonly seed: number;
  readonly scale: number;
  /** What whoever measured had to say, such as that others used the machine. */
  readonly note: string;
  readonly sourceBytes: number;
  readonly sourceFiles: number;
  readonly results: readonly Result[];
}

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  /** Type of the file system that holds sources and repositories. */
  readonly fileSystem: string;
  /** Processes that wanted a core when the row began: the load average of a minute. */
  readonly load: number;
}

export interface Result {
  readonly contender: string;
  readonly version: string;
  /** As a shell would take it, with `$WORK` for the work folder. */
  readonly command: string;
  readonly runs: readonly Run[];
}

/** One whole process, from its start to its end. */
export interface Run {
  readonly seconds: number;
  /** In user and system mode together; absent without GNU time. */
  readonly cpuSeconds?: number;
  /** Resident memory of the largest single process; absent without GNU time. */
  readonly peakBytes?: number;
  /** What the repository grew by, or what it holds after a first backup; absent where nothing is stored. */
  readonly storedBytes?: number;
}

/** Rows of `fresh` in place of those of `kept` with the same id; new ones behind. */
export function mergeRows(kept: readonly RowReport[], fresh: readonly RowReport[]): readonly RowReport[] {
  const byId = new Map([...kept, ...fresh].map((row) => [row.id, row]));
  return [...byId.values()];
}
