/**
 * The steps of `pnpm bench:scale`: what must stay flat while the data grows. Each makes its source, runs its rows and is
 * removed before the next begins. A step of another kind is a file beside this one, as `log-step.ts` is, and a line in
 * the list.
 */

import { join } from 'node:path';
import type { Contender, Site } from '../contenders/contender.ts';
import { writeWeights } from '../corpus/model-files.ts';
import { writeSamples } from '../corpus/small-files.ts';
import { lineMaker } from '../corpus/words.ts';
import { folderFacts, requireSameTree } from '../folder-facts.ts';
import type { Place, Row, RowSteps } from '../run-rows.ts';
import { indexStep } from './index-step.ts';
import { logStep } from './log-step.ts';

export interface ScaleStep {
  readonly id: string;
  readonly title: string;
  /** What it writes at most for one contender, the source not counted, and what its source takes. */
  readonly contenderBytes: number;
  readonly sourceBytes: number;
  readonly rows: readonly Row<ScalePlace>[];
  /** Writes the source into an empty folder. */
  makeSource(folder: string, seed: number): void;
}

export interface ScalePlace extends Place {
  readonly source: string;
  readonly sites: Map<string, Site>;
}

const GB = 1e9;

/** The steps, at a share of their sizes; 1 is what is claimed, less is for trying them. */
export function scaleSteps(scale: number): readonly ScaleStep[] {
  return [
    modelsStep('models-1', [scale]),
    modelsStep('models-4', [4 * scale]),
    modelsStep(
      'models-20',
      Array.from({ length: 5 }, () => 4 * scale),
    ),
    filesStep('files-10k', { files: 10_000 * scale }),
    filesStep('files-100k', { files: 100_000 * scale }),
    filesStep('files-1m', { files: 1_000_000 * scale }),
    filesStep('one-folder-1m', { files: 1_000_000 * scale, perFolder: 1_000_000 }),
    oneFileStep(8 * scale),
    logStep(scale),
    indexStep(scale),
  ];
}

/** Model files of these sizes in gigabytes. */
function modelsStep(id: string, sizes: readonly number[]): ScaleStep {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const title = `${shown(total)} GB of models in ${sizes.length === 1 ? 'one file' : `${sizes.length} files`}`;
  return {
    id,
    title,
    contenderBytes: total * GB,
    sourceBytes: total * GB,
    rows: [firstBackup(id, `first backup of ${title}`)],
    makeSource(folder, seed) {
      for (const [number, size] of sizes.entries())
        writeWeights(join(folder, `part-${number}.safetensors`), { bytes: size * GB, seed: seed + number });
    },
  };
}

function oneFileStep(size: number): ScaleStep {
  const title = `one file of ${shown(size)} GB`;
  return {
    ...modelsStep('one-file', [size]),
    title: `${title}, snapshot and restore`,
    contenderBytes: 2 * size * GB,
    rows: [firstBackup('one-file-snapshot', `first backup of ${title}`), restoreRow(`restore of ${title}`)],
  };
}

function filesStep(
  id: string,
  { files, perFolder }: { readonly files: number; readonly perFolder?: number },
): ScaleStep {
  const title = `${shown(files)} small files${perFolder === undefined ? '' : ' in one folder'}`;
  // Two and a half thousand bytes each, on file systems that give out pages.
  const sourceBytes = files * 6000;
  return {
    id,
    title,
    contenderBytes: files * 4000,
    sourceBytes,
    rows: [firstBackup(id, `first backup of ${title}`)],
    makeSource: (folder, seed) =>
      writeSamples(folder, { files, seed, lines: lineMaker(seed), ...(perFolder === undefined ? {} : { perFolder }) }),
  };
}

function firstBackup(id: string, title: string): Row<ScalePlace> {
  return {
    id,
    title,
    conditions: 'new repository, empty cache',
    repeats: 1,
    canRun: ({ isPlain }) => isPlain !== true,
    measureSource: ({ source }) => folderFacts(source),
    async prepare(place, contender): Promise<RowSteps> {
      const make = async (): Promise<void> => {
        place.sites.set(contender.name, await place.lab.freshSite(contender, 'scale'));
      };
      await make();
      return {
        before: make,
        command: () => contender.backup(siteOf(place, contender), backupOf(place)),
        after: () => folderFacts(siteOf(place, contender).repository).bytes,
      };
    },
  };
}

function restoreRow(title: string): Row<ScalePlace> {
  return {
    id: 'one-file-restore',
    title,
    conditions:
      'cache warm from the backup; into an empty folder; what the first run restored is compared byte by byte',
    repeats: 1,
    canRun: ({ isPlain }) => isPlain !== true,
    measureSource: ({ source }) => folderFacts(source),
    async prepare(place, contender): Promise<RowSteps> {
      const target = join(place.lab.folder, 'restored');
      let isCompared = false;
      return {
        before: () => void place.lab.freshFolder('restored'),
        command: () => contender.restore(siteOf(place, contender), backupOf(place), target),
        after() {
          if (!isCompared) requireSameTree(target, place.source);
          isCompared = true;
          return undefined;
        },
        end: () => void place.lab.freshFolder('restored'),
      };
    },
  };
}

function shown(amount: number): string {
  return amount.toLocaleString('en-US', { maximumFractionDigits: 3 });
}

function backupOf({ source }: ScalePlace): { series: string; label: string; source: string } {
  return { series: 'scale', label: 'scale-1', source };
}

function siteOf({ sites }: ScalePlace, { name }: Contender): Site {
  const site = sites.get(name);
  if (site === undefined) throw new TypeError(`expected a site of ${name}`);
  return site;
}
