/** The page docs/bench/README.md, made from the reports beside it. */

import { claims, type Judgement, peakMemory } from './claims.ts';
import type { Report, RowReport } from './report.ts';
import { scaleClaims } from './scale/claims.ts';
import { growthTable } from './scale/growth-table.ts';
import { markdownTable, resultsTable } from './table.ts';

export function benchPage({ bench, scale }: { readonly bench: Report; readonly scale: Report }): string {
  return `# Speed and size

Measured side by side, as whole processes, against programs that a user would take instead. Encrypted on both sides,
sources and repositories on the same disk, a cache of its own for each program, all programs in turn in every round, so
that a slow minute of the machine meets all of them. Ratios say more than seconds: a ratio of 2x restic is half its time.

This page is made from the JSON files beside it by \`test/bench/make-page.ts\`; a test holds them equal. They hold every
single run with its command line, the machine, versions, seed and date.

## Claims

What is claimed, what is worked for beyond that, and what was last measured. Sizes are those of scale 1.

${claimsTable(bench, scale)}

## Side by side

${sideBySide(bench)}

## Growth

${growth(scale)}

## How to repeat it

\`pnpm build\`, then \`pnpm bench\`. It takes every contender that is on the path: restic, borg, \`cp\`, \`tar\` with
\`zstd\`; GNU \`time\` for processor time and memory. Distributions package all of them; restic is also one static
program, and an old version of it is no fair peer. The corpora are made from \`--seed\` and kept in the work folder,
which \`--work\` names and which is on the memory disk when that has room: then the processor is what is measured.

\`pnpm bench --scale 0.1\` is a quick look, \`pnpm bench --only first-models\` one row, \`pnpm bench --list\` lists them.
\`pnpm bench:scale\` measures growth, a step at a time with \`--only\`; it needs a disk with room and says how much.
\`--note\` keeps with the numbers what else the machine did.

The corpora hold what a lab keeps: weights in BF16 (safetensors) with their Q8_0 and Q4_0 quantisations (GGUF), an FP32
checkpoint with both Adam moments (the zip of PyTorch), JSONL whose words are as unevenly frequent as those of a
language, small files half of noise and half of text, configurations; and the same one fine-tune and one edit later.
`;
}

function claimsTable(bench: Report, scale: Report): string {
  const line = (
    { aim = '', claim, target }: { readonly claim: string; readonly target: string; readonly aim?: string },
    judged: Judgement | undefined,
    row: RowReport | undefined,
  ): string[] => [
    claim,
    target,
    aim,
    judged?.measured ?? 'not measured yet',
    judged?.isMet === undefined ? '' : judged.isMet ? 'yes' : 'no',
    judged === undefined ? '' : (row?.measuredAt.slice(0, 10) ?? ''),
  ];
  const lines = claims.map((claim) => {
    const row = bench.rows.find(({ id }) => id === claim.row);
    return line(claim, row === undefined ? undefined : claim.judge(row), row);
  });
  const memory = bench.rows.length === 0 ? undefined : peakMemory(bench.rows);
  const most = line({ claim: 'most memory in any of these rows', target: 'at most 250 MB' }, memory, bench.rows[0]);
  const growing = scaleClaims.map((claim) => line(claim, claim.judge(scale.rows), scale.rows[0]));
  return markdownTable(['claim', 'target', 'aim', 'measured', 'met', 'on'], [...lines, most, ...growing]);
}

function sideBySide({ rows }: Report): string {
  if (rows.length === 0) return 'Not measured yet.';
  return `Medians of all runs, with the fastest and the slowest in brackets. CPU is user and system time together, peak the
resident memory of the largest single process, stored what the repository holds after a first backup or grows by in a later
one.

${resultsTable(rows)}

${conditionsTable(rows)}

${machines(rows)}`;
}

function growth({ rows }: Report): string {
  if (rows.length === 0) return 'Not measured yet.';
  return `${growthTable(rows)}

${machines(rows)}`;
}

function conditionsTable(rows: readonly RowReport[]): string {
  return markdownTable(
    ['work', 'source', 'runs', 'conditions'],
    rows.map(({ conditions, results, sourceBytes, sourceFiles, title }) => [
      title,
      sourceFiles === 0 ? '–' : `${(sourceBytes / 1e6).toFixed(0)} MB in ${sourceFiles} files`,
      String(Math.max(0, ...results.map(({ runs }) => runs.length))),
      conditions,
    ]),
  );
}

/** Each machine and moment once, with what was said about it. */
function machines(rows: readonly RowReport[]): string {
  const lines = rows.map(({ machine, measuredAt, note, results, scale, seed }) => {
    const { cores, fileSystem, memoryBytes, processor, system } = machine;
    const versions = results.map(({ contender, version }) => `${contender} ${version}`);
    return {
      versions,
      text: `${measuredAt.slice(0, 10)}: ${processor}, ${cores} cores, ${(memoryBytes / 2 ** 30).toFixed(0)} GiB of memory, ${system}, ${fileSystem}; scale ${scale}, seed ${seed}${note === '' ? '' : `; ${note}`}`,
    };
  });
  return [...new Set(lines.map(({ text }) => text))]
    .map((text) => {
      const versions = new Set(lines.filter((line) => line.text === text).flatMap((line) => line.versions));
      return `- ${text}. ${[...versions].join(', ')}.`;
    })
    .join('\n');
}
