/** Backs up one checkpoint after the other, and restores the oldest, the middle and the newest one. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { safetensorsFile } from '../../assets/safetensors-file.ts';
import type { Contender } from '../contenders/contender.ts';
import { folderFacts } from '../folder-facts.ts';
import type { Lab } from '../lab.ts';
import { trainingRun, type TrainingOptions } from './training-run.ts';

export interface Chain {
  /** RFC 3339. */
  readonly measuredAt: string;
  readonly note: string;
  /** Of one checkpoint. */
  readonly fileBytes: number;
  readonly training: TrainingOptions;
  /** Of the training at each checkpoint; null before the first step. */
  readonly losses: readonly (number | null)[];
  readonly contenders: readonly ChainResult[];
}

export interface ChainResult {
  readonly contender: string;
  readonly version: string;
  /** What the repository grew by with each checkpoint, and how long that took. */
  readonly growth: readonly { readonly bytes: number; readonly seconds: number }[];
  /** Seconds of each run, of the restore of one checkpoint by its number from 0. */
  readonly restores: readonly { readonly checkpoint: number; readonly seconds: readonly number[] }[];
}

const restoreRuns = 3;

/** Writes the checkpoints to `folder`, each in a folder of its own; the losses. */
export function writeCheckpoints(folder: string, training: TrainingOptions): readonly (number | null)[] {
  const losses: (number | null)[] = [];
  // Each before the next one is made: that changes the weights in place.
  for (const { loss, weights } of trainingRun(training)) {
    const tensors = weights.map(({ name, shape, floats }) => ({
      name,
      shape,
      dtype: 'F32' as const,
      data: new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength),
    }));
    const to = checkpointFolder(folder, losses.length);
    mkdirSync(to, { recursive: true });
    writeFileSync(join(to, fileName), safetensorsFile({ tensors }));
    losses.push(Number.isNaN(loss) ? null : loss);
  }
  return losses;
}

const fileName = 'model.safetensors';

function checkpointFolder(folder: string, number: number): string {
  return join(folder, `checkpoint-${number}`);
}

export async function measureChain(
  lab: Lab,
  contender: Contender,
  { checkpoints, count }: { readonly checkpoints: string; readonly count: number },
): Promise<ChainResult> {
  const site = await lab.freshSite(contender, 'chain');
  const source = lab.freshFolder('chain-source');
  const backup = (number: number): { series: string; label: string; source: string } => ({
    series: 'training',
    label: `step-${number}`,
    source,
  });
  const growth: { bytes: number; seconds: number }[] = [];
  let before = folderFacts(site.repository).bytes;
  for (let number = 0; number < count; number += 1) {
    writeFileSync(join(source, fileName), readFileSync(join(checkpointFolder(checkpoints, number), fileName)));
    const { seconds } = await lab.measure(contender.backup(site, backup(number)));
    const after = folderFacts(site.repository).bytes;
    growth.push({ bytes: after - before, seconds });
    before = after;
  }
  const restores: { checkpoint: number; seconds: number[] }[] = [];
  for (const checkpoint of [0, Math.floor((count - 1) / 2), count - 1]) {
    const seconds: number[] = [];
    for (let run = 0; run < restoreRuns; run += 1) {
      const target = lab.freshFolder('chain-target');
      seconds.push((await lab.measure(contender.restore(site, backup(checkpoint), target))).seconds);
      requireRestored(target, source, join(checkpointFolder(checkpoints, checkpoint), fileName));
      rmSync(target, { recursive: true, force: true });
    }
    restores.push({ checkpoint, seconds });
  }
  lab.removeSite(site);
  return { contender: contender.name, version: contender.version, growth, restores };
}

/** Some programs restore below the path that was backed up. */
function requireRestored(target: string, source: string, original: string): void {
  const places = [join(target, fileName), join(target, source, fileName)];
  const wanted = readFileSync(original);
  const isSame = places.some((path) => {
    try {
      return readFileSync(path).equals(wanted);
    } catch {
      return false;
    }
  });
  if (!isSame) throw new Error(`${target} does not hold what ${original} was`);
}
