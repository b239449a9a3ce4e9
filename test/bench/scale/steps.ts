/**
 * The steps of `pnpm bench:scale`: what must stay flat while the data grows. Each makes its source, runs its rows and is
 * removed before the next begins. A step of another kind is a file beside this one and a line in the list.
 */

import { join } from 'node:path';
import type { Contender, Site } from '../contenders/contender.ts';
import { writeWeights } from '../corpus/model-files.ts';
import { writeSamples } from '../corpus/small-files.ts';
import { lineMaker } from '../corpus/words.ts';
import { folderFacts, requireSameTree } from '../folder-facts.ts';
import type { Place, Row, RowSteps } from '../run-rows.ts';
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

export const scaleSteps: readonly ScaleStep[] = [
  modelsStep('models-1', [1]),
  modelsStep('models-4', [4]),
  modelsStep('models-20', [4, 4, 4, 4, 4]),
  filesStep('files-10k', '10 thousand small files', { files: 10_000 }),
  filesStep('files-100k', '100 thousand small files', { files: 100_000 }),
  filesStep('files-1m', '1 million small files', { files: 1_000_000 }),
  filesStep('one-folder-1m', '1 million small files in one folder', { files: 1_000_000, perFolder: 1_000_000 }),
  {
    ...modelsStep('one-file', [8]),
    title: 'one file of 8 GB, snapshot and restore',
    contenderBytes: 16 * GB,
    rows: [firstBackup('one-file-snapshot', 'first backup of one 8 GB file'), restoreRow()],
  },
  logStep,
];

/** Model files of these sizes in gigabytes. */
function modelsStep(id: string, sizes: readonly number[]): ScaleStep {
  const total = sizes.reduce((sum, size) => sum + size, 0) * GB;
  const title = `${total / GB} GB of models in ${sizes.length === 1 ? 'one file' : `${sizes.length} files`}`;
  return {
    id,
    title,
    contenderBytes: total,
    sourceBytes: total,
    rows: [firstBackup(id, `first backup of ${title}`)],
    makeSource(folder, seed) {
      for (const [number, size] of sizes.entries())
        writeWeights(join(folder, `part-${number}.safetensors`), { bytes: size * GB, seed: seed + number });
    },
  };
}

function filesStep(
  id: string,
  title: string,
  { files, perFolder }: { readonly files: number; readonly perFolder?: number },
): ScaleStep {
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

function restoreRow(): Row<ScalePlace> {
  return {
    id: 'one-file-restore',
    title: 'restore of one 8 GB file',
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

function backupOf({ source }: ScalePlace): { series: string; label: string; source: string } {
  return { series: 'scale', label: 'scale-1', source };
}

function siteOf({ sites }: ScalePlace, { name }: Contender): Site {
  const site = sites.get(name);
  if (site === undefined) throw new TypeError(`expected a site of ${name}`);
  return site;
}
