/** A new `mbk.yaml`: what was guessed, with comments that say what each part does. */

import type { ProjectGuess } from './guess-project.ts';
import { matchesCollection } from './rules.ts';

/** Text of the file; `repository` as it shall stand there, relative to the file or absolute. */
export function renderConfig(guess: ProjectGuess, { repository }: { readonly repository: string }): string {
  return [
    '# What mbk backs up from this folder. `mbk snapshot --dry-run` shows what it makes of it.',
    '',
    '# The repository: a folder, relative to this file.',
    `repository: ${quote(repository)}`,
    '',
    ...domainLines(guess),
    '',
    ...ruleLines(guess),
    '',
    '# Left out, in the syntax of .gitignore; .mbkignore files in any folder count too.',
    `exclude: [${['__pycache__/', '.venv/', 'node_modules/', '*.tmp', '*.part'].map(quote).join(', ')}]`,
    '',
    '# What `mbk snapshot --plan NAME` takes, and when. Nothing runs it by itself yet: a line of cron can.',
    'plans:',
    ...planLines(guess),
    '',
    ...retentionLines(guess),
    '',
  ].join('\n');
}

function domainLines({ domains }: ProjectGuess): string[] {
  const lines = ['# Branches of history, one for each: {domain} in a rule stands for any of these names.'];
  if (domains.length > 0) return [...lines, `domains: [${domains.map(quote).join(', ')}]`];
  return [...lines, '# domains: [healthcare, finance]'];
}

function ruleLines({ rules, assets }: ProjectGuess): string[] {
  const lines = [
    '# Which files belong to which collection (category/class). The first rule that matches decides; * and ? stay within a',
    '# name, ** crosses folders, {domain} is one of the domains above, any other {word} is part of a name. Files that no',
    '# rule matches are taken too, into the collection other/files of the domain system.',
  ];
  const examples = ['  # - match: models/{domain}*.gguf', '  #   collection: models/production'];
  return [
    ...lines,
    'rules:',
    ...(assets === 0 ? examples : []),
    ...rules.flatMap(({ match, collection, domain }) => [
      `  - match: ${quote(match)}`,
      `    collection: ${collection}`,
      ...(domain === undefined ? [] : [`    domain: ${quote(domain)}`]),
    ]),
  ];
}

/** Plans for what there is; what changes most is taken most often. */
function planLines({ collections }: ProjectGuess): string[] {
  const has = (pattern: string): boolean => collections.some((collection) => matchesCollection(pattern, collection));
  const daily = ['models/checkpoint', 'configs/*'].filter(has);
  const weekly = ['models/*'].filter(has);
  return [
    ...(daily.length === 0 ? [] : [`  daily: { collections: [${daily.map(quote).join(', ')}], at: "02:00" }`]),
    ...(weekly.length === 0 ? [] : [`  weekly: { collections: [${weekly.map(quote).join(', ')}], at: "Sun 03:00" }`]),
    '  monthly: { collections: ["*"], at: "1 04:00" }',
  ];
}

/** How long each kind is usually worth its room. */
const usualRetention = [
  ['models/checkpoint', '{ within: 30d }'],
  ['models/production', '{ within: 1y }'],
  ['models/adapter', '{ within: 1y }'],
  ['data/training', '{ within: 90d }'],
  ['data/validation', '{ forever: true }'],
  ['configs/*', '{ within: 1y }'],
] as const;

/** As comments: nothing is ever given up because of a guess. */
function retentionLines({ collections, assets }: ProjectGuess): string[] {
  const found = usualRetention.filter(([pattern]) => collections.some((one) => matchesCollection(pattern, one)));
  const shown = assets === 0 ? usualRetention : found;
  const width = Math.max(...shown.map(([pattern]) => pattern.length)) + 1;
  return [
    '# How long the files of a collection are kept. Without a rule they are kept forever; history itself always is. To let',
    '# older files go, take the # away from these lines and set them as you need; what prunes by them is not built yet.',
    '# retention:',
    ...shown.map(([pattern, rule]) => `#   ${`${pattern}:`.padEnd(width)} ${rule}`),
  ];
}

/** A scalar as YAML reads it back: plain where that is safe, else in double quotes as in JSON. */
function quote(text: string): string {
  const isPlain = /^(?:\.{0,2}\/|[A-Za-z])[A-Za-z0-9./_-]*$/.test(text) && !words.has(text.toLowerCase());
  return isPlain ? text : JSON.stringify(text);
}

/** Plain scalars that YAML 1.1 or 1.2 takes for something else than text. */
const words = new Set(['true', 'false', 'null', 'yes', 'no', 'on', 'off', 'y', 'n']);
