/**
 * The rows of `pnpm bench`: each is one piece of work that a user waits for, the same for every contender that can do it.
 * A row says how a contender is made ready, which one command counts, and what is looked at afterwards.
 */

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Backup, Contender, Site } from './contenders/contender.ts';
import type { Corpus, CorpusPart, CorpusPiece } from './corpus/corpus.ts';
import { withoutPlugins } from './claims.ts';
import { folderFacts, type FolderFacts, requireSameTree } from './folder-facts.ts';
import type { Lab } from './lab.ts';
import type { Place, Row, RowSteps } from './run-rows.ts';

export interface BenchRow extends Row<Bench> {
  readonly needs: readonly CorpusPiece[];
}

export interface Bench extends Place {
  readonly corpus: Corpus;
  /** The contender's site whose repository holds every part; made when first asked for. */
  fullSite(contender: Contender): Promise<FullSite>;
}

export interface FullSite {
  readonly site: Site;
  readonly backups: Readonly<Record<CorpusPart, Backup>>;
  /** A new backup of a part, under a label of its own. */
  again(part: CorpusPart): Backup;
}

const cold = 'new repository, empty cache; source in the page cache';
const warm = 'cache warm from the backups before';
const parts: readonly CorpusPart[] = ['models', 'checkpoint', 'files'];
const everything: readonly CorpusPiece[] = ['models/base', 'checkpoint/base', 'files/base', 'models/next'];

export const rows: readonly BenchRow[] = [
  firstBackup('first-models', 'first backup of the models', 'models'),
  {
    id: 'plugins',
    title: 'first backup of the models, with plugins and without',
    conditions: `${cold}; the plugins are turned off in mbk.yaml, so that without them there are neither checks nor layouts`,
    repeats: 2,
    needs: ['models/base'],
    canRun: ({ name }) => name === 'mbk',
    variants: (contender) => [contender, { ...contender, name: withoutPlugins }],
    measureSource: ({ corpus }) => folderFacts(corpus.folderOf('models', 'base')),
    prepare: prepareWithPlugins,
  },
  firstBackup('first-checkpoint', 'first backup of the checkpoint', 'checkpoint'),
  firstBackup('first-files', 'first backup of the small files', 'files'),
  {
    id: 'next-models',
    title: 'the next fine-tune of the models',
    conditions: `${warm}; the repository holds the fine-tune before; its growth is what counts as stored`,
    repeats: 1,
    needs: ['models/base', 'models/next'],
    canRun: (contender) => contender.isPlain !== true,
    measureSource: ({ corpus }) => folderFacts(corpus.folderOf('models', 'next')),
    prepare: prepareNextModels,
  },
  {
    id: 'unchanged',
    title: 'the small files again, nothing changed',
    conditions: `${warm}; the repository holds all parts`,
    repeats: 1,
    needs: everything,
    canRun: (contender) => contender.isPlain !== true,
    measureSource: ({ corpus }) => folderFacts(corpus.folderOf('files', 'base')),
    async prepare(bench, contender) {
      const { again, site } = await bench.fullSite(contender);
      let storedBefore = 0;
      return {
        before: () => void (storedBefore = folderFacts(site.repository).bytes),
        command: () => contender.backup(site, again('files')),
        after: () => folderFacts(site.repository).bytes - storedBefore,
      };
    },
  },
  {
    id: 'check-all',
    title: 'full read check of everything',
    conditions: `${warm}; mbk verify --data, restic check --read-data (which makes a cache of its own), borg check --verify-data`,
    repeats: 1,
    needs: everything,
    canRun: ({ checkAll }) => checkAll !== undefined,
    measureSource: measureAll,
    async prepare(bench, contender) {
      const { site } = await bench.fullSite(contender);
      return { command: () => demanded(contender.checkAll)(site) };
    },
  },
  restoreOf('restore-models', 'restore of the models', 'models'),
  restoreOf('restore-files', 'restore of the small files', 'files'),
  {
    id: 'log',
    title: 'list of backups, with the passphrase',
    conditions: warm,
    repeats: 3,
    needs: everything,
    canRun: ({ list }) => list !== undefined,
    measureSource: measureAll,
    async prepare(bench, contender) {
      const { site } = await bench.fullSite(contender);
      return { command: () => demanded(contender.list)(site) };
    },
  },
  {
    id: 'log-key-file',
    title: 'list of backups, mbk with a key file',
    conditions: `${warm}; the others have no key file that saves them the passphrase, and use it`,
    repeats: 3,
    needs: everything,
    canRun: ({ list }) => list !== undefined,
    measureSource: measureAll,
    async prepare(bench, contender) {
      const { site } = await bench.fullSite(contender);
      const { list, listWithKeyFile } = contender;
      if (listWithKeyFile === undefined) return { command: () => demanded(list)(site) };
      for (const command of listWithKeyFile.prepare(site)) await bench.lab.run(command);
      return { command: () => listWithKeyFile.list(site) };
    },
  },
  {
    id: 'version',
    title: 'start of the program: its version',
    conditions: 'no repository',
    repeats: 5,
    needs: [],
    canRun: ({ showVersion }) => showVersion !== undefined,
    measureSource: () => ({ files: 0, bytes: 0 }),
    async prepare({ lab }, contender) {
      const site = await lab.freshSite(contender, 'version');
      return { command: () => demanded(contender.showVersion)(site), end: () => lab.removeSite(site) };
    },
  },
];

function firstBackup(id: string, title: string, part: CorpusPart): BenchRow {
  return {
    id,
    title,
    conditions: cold,
    repeats: 1,
    needs: [`${part}/base`],
    canRun: () => true,
    measureSource: ({ corpus }) => folderFacts(corpus.folderOf(part, 'base')),
    async prepare({ corpus, lab }, contender) {
      const make = (): Promise<Site> => lab.freshSite(contender, id);
      const backup = { series: part, label: `${part}-1`, source: corpus.folderOf(part, 'base') };
      let site = await make();
      return {
        before: async () => void (site = await make()),
        command: () => contender.backup(site, backup),
        after: () => folderFacts(site.repository).bytes,
        end: () => lab.removeSite(site),
      };
    },
  };
}

/** A project of the models, which is the same for both but for what its `mbk.yaml` says of plugins. */
async function prepareWithPlugins({ corpus, lab }: Bench, contender: Contender): Promise<RowSteps> {
  const project = join(lab.folder, 'project');
  const hasPlugins = contender.name !== withoutPlugins;
  let site = await lab.freshSite(contender, 'plugins');
  if (!existsSync(project)) {
    lab.freshFolder('project');
    lab.copyFolder(corpus.folderOf('models', 'base'), join(project, 'models'));
  }
  return {
    async before() {
      site = await lab.freshSite(contender, 'plugins');
      writeFileSync(join(project, 'mbk.yaml'), projectFile(hasPlugins));
    },
    command: () => contender.backup(site, { series: 'models', label: 'models-1', source: project }),
    after: () => folderFacts(site.repository).bytes,
    end: () => {
      lab.removeSite(site);
      lab.freshFolder('project');
    },
  };
}

function projectFile(hasPlugins: boolean): string {
  const off = ['gguf', 'checkpoint', 'dataset', 'config'].map((name) => `${name}: false`);
  const rules = 'rules:\n  - { match: "**", domain: models, collection: models/all }\n';
  return hasPlugins ? rules : `${rules}plugins: { ${off.join(', ')} }\n`;
}

/** One live folder: every contender backs up its first state, and finds the next one there in all of its runs. */
async function prepareNextModels({ corpus, lab }: Bench, contender: Contender): Promise<RowSteps> {
  const live = join(lab.folder, 'live');
  const fill = (state: 'base' | 'next'): void => {
    lab.freshFolder('live');
    lab.copyFolder(`${corpus.folderOf('models', state)}/.`, live);
  };
  const site = await lab.freshSite(contender, 'next-models');
  fill('base');
  await lab.run(contender.backup(site, { series: 'models', label: 'models-1', source: live }));
  lab.saveSite(site);
  fill('next');
  const storedBefore = folderFacts(site.repository).bytes;
  return {
    before: () => lab.recallSite(site),
    command: () => contender.backup(site, { series: 'models', label: 'models-2', source: live }),
    after: () => folderFacts(site.repository).bytes - storedBefore,
    end: () => lab.removeSite(site),
  };
}

function restoreOf(id: string, title: string, part: CorpusPart): BenchRow {
  return {
    id,
    title,
    conditions: `${warm}; into an empty folder; what the first run restored is compared byte by byte`,
    repeats: 1,
    needs: everything,
    canRun: () => true,
    measureSource: ({ corpus }) => folderFacts(corpus.folderOf(part, 'base')),
    async prepare(bench, contender) {
      const { backups, site } = await bench.fullSite(contender);
      const target = join(bench.lab.folder, 'restored');
      let isCompared = false;
      return {
        before: () => void bench.lab.freshFolder('restored'),
        command: () => contender.restore(site, backups[part], target),
        after() {
          if (!isCompared) requireSameTree(target, backups[part].source);
          isCompared = true;
          return undefined;
        },
        end: () => void bench.lab.freshFolder('restored'),
      };
    },
  };
}

/**
 * Sites that hold everything: base of all parts and the next state of the models, each part a series. Of a contender that
 * only copies, nothing but restores is asked, and its site holds what they need.
 */
export function fullSites(lab: Lab, corpus: Corpus): Bench['fullSite'] {
  const made = new Map<string, FullSite>();
  return async (contender) => {
    const known = made.get(contender.name);
    if (known !== undefined) return known;
    const site = await lab.freshSite(contender, 'full');
    let count = 0;
    const backupOf = (part: CorpusPart, state: 'base' | 'next' = 'base'): Backup => {
      count += 1;
      return { series: part, label: `${part}-${count}`, source: corpus.folderOf(part, state) };
    };
    const backups = { models: backupOf('models'), checkpoint: backupOf('checkpoint'), files: backupOf('files') };
    const all = [...Object.values(backups), backupOf('models', 'next')];
    for (const backup of contender.isPlain === true ? [backups.models, backups.files] : all)
      await lab.run(contender.backup(site, backup));
    const full = { site, backups, again: (part: CorpusPart) => backupOf(part) };
    made.set(contender.name, full);
    return full;
  };
}

function measureAll({ corpus }: Bench): FolderFacts {
  const folders = [...parts.map((part) => corpus.folderOf(part, 'base')), corpus.folderOf('models', 'next')];
  return folders.map(folderFacts).reduce((sum, { bytes, files }) => ({
    bytes: sum.bytes + bytes,
    files: sum.files + files,
  }));
}

function demanded<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new TypeError('expected a contender that can do it');
  return value;
}
