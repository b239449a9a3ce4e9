/**
 * Guesses domains and rules from the paths of a project's files.
 *
 * A domain is a word that stands in several categories of assets, as a folder (`data/training/healthcare/`) or at the
 * start of a name (`models/healthcare-7b.gguf`). A rule is one such place; what has no domain gets a rule of its folder.
 * Pure and deterministic: the same paths, in any order, give the same guess.
 */

import { isDomainName } from '@mbk/core';
import { configName } from './config.ts';
import type { Rule } from './config.ts';
import { guessCollection } from './guess-collection.ts';
import { otherCollection, systemDomain } from './rules.ts';

export interface ProjectGuess {
  readonly domains: readonly string[];
  /** The more precise ones first, then that of `mbk.yaml` itself, and last one for everything where all is of one domain. */
  readonly rules: readonly Rule[];
  /** Collections of the rules, sorted. */
  readonly collections: readonly string[];
  /** Assets that were found. */
  readonly assets: number;
  /** How many of each collection, the most first. */
  readonly found: readonly { readonly collection: string; readonly files: number }[];
}

/** More rules than these help nobody; what they leave out is in `other/files`. */
const maxRules = 40;

/** `name` is that of the project's folder: the one domain when none is found. `named` are the domains that a person named. */
export function guessProject(paths: readonly string[], name: string, named?: readonly string[]): ProjectGuess {
  const assets = paths.toSorted().flatMap((path) => assetOf(path) ?? []);
  const domains = named?.toSorted() ?? guessDomains(assets);
  const only = onlyDomain(domains, name, named);
  const rest = only ?? systemDomain;
  const found = assets.map((asset) => domainRule(asset, assets, domains) ?? folderRule(asset, assets, rest));
  const own: Rule = { match: `/${configName}`, collection: 'configs/project', domain: rest };
  // A project that is one domain is that with all it has.
  const others = only === undefined ? [] : [{ match: '**', collection: otherCollection, domain: only }];
  const rules = [...uniqueRules(found).slice(0, maxRules), own, ...others];
  const collections = [...new Set(rules.map(({ collection }) => collection))].sort();
  return { domains, rules, collections, assets: assets.length, found: countFound(assets) };
}

/** The domain of all that there is: the one that a person named, or that of the project where there are none. */
function onlyDomain(
  domains: readonly string[],
  name: string,
  named: readonly string[] | undefined,
): string | undefined {
  if (domains.length === 0) return projectDomain(name);
  return named?.length === 1 ? named[0] : undefined;
}

function countFound(assets: readonly Asset[]): ProjectGuess['found'] {
  const counts = Map.groupBy(assets, ({ collection }) => collection);
  return [...counts]
    .map(([collection, { length: files }]) => ({ collection, files }))
    .sort((a, b) => b.files - a.files || (a.collection < b.collection ? -1 : 1));
}

interface Asset {
  /** Names of its folders. */
  readonly folders: readonly string[];
  readonly name: string;
  /** With its dot, as it is written. */
  readonly ending: string;
  readonly collection: string;
  /** Index of the folder that says the class (`data/validation`); 0 when none does. */
  readonly classFolder: number;
}

/** Classes that folders say; for data only, where the ending does not. */
const dataClasses: Readonly<Record<string, string>> = {
  train: 'data/training',
  training: 'data/training',
  val: 'data/validation',
  valid: 'data/validation',
  validation: 'data/validation',
  dev: 'data/validation',
  test: 'data/test',
  eval: 'data/test',
  evaluation: 'data/test',
  raw: 'data/raw',
  processed: 'data/processed',
};

/** Folders whose files are configurations; elsewhere a `.json` may be anything. */
const configFolders = new Set(['config', 'configs', 'conf', 'settings']);

function assetOf(path: string): Asset | undefined {
  const folders = path.split('/');
  const name = folders.pop() ?? '';
  const ending = /.\.[^.]+$/.test(name) ? name.slice(name.lastIndexOf('.')) : '';
  const collection = guessCollection(path);
  const [category] = collection.split('/');
  if (collection === otherCollection) return undefined;
  if (category === 'configs' && !folders.some((folder) => configFolders.has(folder.toLowerCase()))) return undefined;
  if (category !== 'data') return { folders, name, ending, collection, classFolder: 0 };
  const classFolder = folders.findIndex((folder) => Object.hasOwn(dataClasses, folder.toLowerCase()));
  const named = dataClasses[folders[classFolder]?.toLowerCase() ?? ''];
  return { folders, name, ending, collection: named ?? collection, classFolder: Math.max(classFolder, 0) };
}

/** Words that say a kind, a stage or a format, and so no domain, however often they stand somewhere. */
const generic = new Set(
  [
    'adapter adapters asset assets backup backups base best checkpoint checkpoints ckpt conf config configs csv data',
    'dataset datasets default dev eval evaluation examples export exports file files final finetune finetuned full',
    'gguf ggml global jsonl latest lora main merged model models new old onnx output outputs parquet pretrained prod',
    'production processed project public raw release run runs safetensors sample samples settings shard shards source',
    'split splits staging step system test tests tmp tokenizer train trained training val valid validation version',
    'vocab weights',
  ].flatMap((words) => words.split(' ')),
);

/** Words that stand in several groups. A name counts unless a folder has said the domain already. */
function guessDomains(assets: readonly Asset[]): string[] {
  const byFolder = new Set(wordsInSeveralGroups(assets, ({ folders }) => folders.slice(1)));
  const words = wordsInSeveralGroups(assets, ({ folders, name }) => {
    const below = folders.slice(1);
    return below.some((folder) => byFolder.has(folder)) ? below : [...below, firstWord(name)];
  });
  return words.sort();
}

/** Words that stand in at least two of models, checkpoints, data and configurations. */
function wordsInSeveralGroups(assets: readonly Asset[], wordsOf: (asset: Asset) => readonly string[]): string[] {
  const groupsOf = new Map<string, Set<string>>();
  for (const asset of assets) {
    const group = asset.collection === 'models/checkpoint' ? asset.collection : (asset.collection.split('/')[0] ?? '');
    for (const word of wordsOf(asset)) {
      if (!isDomainWord(word)) continue;
      const groups = groupsOf.get(word) ?? new Set();
      groupsOf.set(word, groups.add(group));
    }
  }
  return [...groupsOf].flatMap(([word, groups]) => (groups.size > 1 ? [word] : []));
}

function firstWord(name: string): string {
  return /^[^-_.]+/.exec(name)?.[0] ?? '';
}

function isDomainWord(word: string): boolean {
  return /^[a-z][a-z0-9-]{2,}$/.test(word) && isDomainName(word) && !generic.has(word);
}

/** The project as a domain: its name as far as it can be one. */
function projectDomain(name: string): string {
  const word = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 63)
    .replace(/-+$/, '');
  return isDomainName(word) ? word : 'project';
}

/** The rule of an asset whose path says its domain: by a folder, else by how its name begins. */
function domainRule(asset: Asset, assets: readonly Asset[], domains: readonly string[]): Rule | undefined {
  const { folders, name, ending, collection } = asset;
  const at = folders.findIndex((folder, index) => index > 0 && domains.includes(folder));
  if (at > 0) {
    const prefix = folders.slice(0, at);
    const inside = assets.filter((one) => isBelow(one, prefix) && domains.includes(one.folders[at] ?? ''));
    return { match: [...prefix.map(literal), '{domain}', ...tailFor(asset, inside)].join('/'), collection };
  }
  if (!domains.includes(firstWord(name))) return undefined;
  return { match: place([...folders.map(literal), `{domain}*${literal(ending)}`]), collection };
}

/** The rule of an asset without a domain: its top folder, or its class; by ending where that holds several collections. */
function folderRule(asset: Asset, assets: readonly Asset[], domain: string): Rule {
  const { folders, ending, collection, classFolder } = asset;
  if (folders.length === 0) return { match: place([`*${literal(ending)}`]), collection, domain };
  const prefix = folders.slice(0, classFolder + 1);
  const inside = assets.filter((one) => isBelow(one, prefix));
  return { match: [...prefix.map(literal), ...tailFor(asset, inside)].join('/'), collection, domain };
}

function isBelow({ folders }: Asset, prefix: readonly string[]): boolean {
  return prefix.every((folder, index) => folders[index] === folder);
}

/** Everything below a folder where all of it is of one collection, else what ends like the asset. */
function tailFor({ ending, collection }: Asset, inside: readonly Asset[]): readonly string[] {
  return inside.every((one) => one.collection === collection) ? ['**'] : ['**', `*${literal(ending)}`];
}

/** A pattern without a folder would match at any depth: a `/` before it keeps it where it is. */
function place(names: readonly string[]): string {
  return names.length === 1 ? `/${names[0] ?? ''}` : names.join('/');
}

/** A name as a pattern; what means something in patterns is matched by `?`. */
function literal(name: string): string {
  return name.replace(/[*?{}]/g, '?');
}

/** Each match once; those with a domain in their path first, then those with more names, then by text. */
function uniqueRules(rules: readonly Rule[]): Rule[] {
  const byMatch = new Map<string, Rule>();
  for (const rule of rules) if (!byMatch.has(rule.match)) byMatch.set(rule.match, rule);
  const rank = ({ match }: Rule): number => (match.includes('{domain}') ? 0 : 1);
  const depth = ({ match }: Rule): number => match.split('/').filter((name) => name !== '**').length;
  return [...byMatch.values()].sort((a, b) => rank(a) - rank(b) || depth(b) - depth(a) || (a.match < b.match ? -1 : 1));
}
