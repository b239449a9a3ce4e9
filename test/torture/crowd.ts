/** Eight processes at once on one repository: some in one domain, some in others, some of one host. */
import { join } from 'node:path';
import { commandLab, failureOf, snapshotsOf, type CommandLab } from './command-lab.ts';
import { describeFolder, partOf, type Description } from './describe-folder.ts';
import { examine, type Ledger } from './examine.ts';
import { shareOf, type RowOptions } from './row.ts';
import { openSite } from './site.ts';
import { changeSource, domains } from './source.ts';
import type { Tally } from './tally.ts';

const rounds = 8;

/** Domains and host of each process. */
const crew = [
  { names: ['healthcare'], host: 'one' },
  { names: ['healthcare'], host: 'one' },
  { names: ['healthcare'], host: 'two' },
  { names: ['healthcare', 'finance'], host: 'one' },
  { names: ['finance'], host: 'two' },
  { names: ['finance'], host: 'three' },
  { names: ['healthcare', 'research'], host: 'three' },
  { names: [...domains], host: 'four' },
] as const;

export async function crowd(options: RowOptions): Promise<void> {
  const { folder, random, tally, progress } = options;
  const lab = await commandLab(folder);
  const projects = crew.map(({ names }, index) =>
    lab.makeProject(`project-${index}`, random, [...new Set([domains[0], ...names])]),
  );
  const ledger: Ledger = new Map();
  const tags = new Map<string, string>();
  const count = shareOf(rounds, options);
  for (let round = 1; round <= count; round += 1) {
    progress(`round ${round} of ${count}`);
    await runRound(lab, projects, { round, ledger, tags, tally });
    await judgeRound(lab, {
      tally,
      where: `round ${round}`,
      ledger,
      tags,
      scratch: join(folder, 'scratch'),
      data: round === count,
    });
    for (const [index, { names }] of crew.entries()) changeSource(projects[index] ?? '', random, names);
  }
  tally.note(`${ledger.size} commits by ${crew.length} processes at a time, ${count} rounds`);
}

async function runRound(
  lab: CommandLab,
  projects: readonly string[],
  {
    round,
    ledger,
    tags,
    tally,
  }: { readonly round: number; readonly ledger: Ledger; readonly tags: Map<string, string>; readonly tally: Tally },
): Promise<void> {
  await Promise.all(
    crew.map(async ({ names, host }, index) => {
      const project = projects[index] ?? '';
      const current = describeFolder(project);
      const filter = names.length === 1 ? ['--domain', names[0]] : [];
      const ended = await lab.mbk(['snapshot', '--json', '--jobs', '2', ...filter], { project, host });
      const where = `round ${round}, process ${index}`;
      tally.point();
      if (ended.isHung) return tally.fault('hung', where);
      const made = ended.code === 0 ? snapshotsOf(ended) : undefined;
      if (made === undefined) return tally.fault('amiss', `${where}: ${failureOf(ended)}`);
      if (made.length === 0) tally.fault('lost', `${where}: no snapshot was made`);
      for (const { domain, commit, tag } of made) {
        if (tags.has(tag)) tally.fault('amiss', `${where}: the tag ${tag} was given before`);
        tags.set(tag, commit);
        ledger.set(commit, partOf(current, domain));
      }
    }),
  );
}

/** Every commit that a process reported is in the log, under its tag, on an unbroken line of parents. */
async function judgeRound(
  lab: CommandLab,
  options: {
    readonly tally: Tally;
    readonly where: string;
    readonly ledger: Ledger;
    readonly tags: ReadonlyMap<string, string>;
    readonly scratch: string;
    readonly data: boolean;
  },
): Promise<void> {
  const { tally, where, ledger, tags } = options;
  const nothing: Description = new Map();
  await examine(lab.watcher, { ...options, current: nothing, all: options.data });
  const repository = await openSite(lab.watcher);
  try {
    const { fold } = repository.log;
    const heads = new Map<string, string>();
    for (const { domain, from, to } of fold.lines.values()) {
      if (from !== (heads.get(domain) ?? null))
        tally.fault('lost', `${where}: ${to.slice(0, 12)} does not follow the head of ${domain}`);
      if (!ledger.has(to)) tally.fault('wrong', `${where}: nobody says that they made ${to.slice(0, 12)}`);
      heads.set(domain, to);
    }
    for (const [tag, commit] of tags) {
      if (fold.tags.get(tag)?.commit !== commit) tally.fault('lost', `${where}: ${tag} does not name its commit`);
    }
  } finally {
    await repository.close();
  }
}
