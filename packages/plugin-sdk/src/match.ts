/**
 * Which plugin knows a file: rules that are data, so a host can decide without running a plugin's code.
 * A rule holds when its path side and its magic side both hold; a side that the rule leaves out always holds.
 */

import { matchesGlob } from './glob.ts';

/** Bytes at a place near the start of a file. */
export interface Magic {
  /** From the start of the file; at most 4096. */
  readonly offset: number;
  /** Lower-case hexadecimal, 1 to 64 bytes. */
  readonly bytes: string;
}

export interface Match {
  /** What a file of this rule is, `class/format`: `model/gguf`, `checkpoint/pytorch`. */
  readonly kind: string;
  /** With their dot, compared without case: `.gguf`. Any of them makes the path side hold. */
  readonly extensions?: readonly string[];
  /** `*`, `?` and, as a whole segment, `**`; without a slash the last name is compared. Any of them holds. */
  readonly globs?: readonly string[];
  /** Any of them makes the magic side hold. */
  readonly magic?: readonly Magic[];
  /**
   * How the plugin reads such a file: `random` (unless given), with `inspect` and `validate`, which read where they want;
   * or `stream`, with `scan`, which sees every byte once, from the start, as the snapshot reads it.
   */
  readonly reads?: 'random' | 'stream';
}

/** Which folders are one asset: those that directly hold a file named like one of the markers. */
export interface FolderMatch {
  /** What such a folder is, `class/format`: `dataset/bagit`. */
  readonly kind: string;
  /** Globs without a slash, for names of files directly in the folder: `bagit.txt`, `*.parquet`. */
  readonly markers: readonly string[];
}

export interface MatchTarget {
  /** With `/` between names. */
  readonly path: string;
  /** The first bytes of the file: at least `magicSpan` of the rules, or all there are. */
  readonly head: Uint8Array;
}

/** The first rule that holds for the file, or undefined. */
export function matchingRule(rules: readonly Match[], target: MatchTarget): Match | undefined {
  const lower = target.path.toLowerCase();
  return rules.find((rule) => matchesPath(rule, target.path, lower) && matchesMagic(rule, target.head));
}

/** The kind of the first rule that holds for the file, or undefined. */
export function matchingKind(rules: readonly Match[], target: MatchTarget): string | undefined {
  return matchingRule(rules, target)?.kind;
}

/** The kind of the first rule that holds for a folder with files of these names, or undefined. */
export function matchingFolderKind(rules: readonly FolderMatch[], names: readonly string[]): string | undefined {
  return rules.find(({ markers }) => markers.some((marker) => names.some((name) => matchesGlob(marker, name))))?.kind;
}

/** Whether the path side of a rule holds; `lower` is the path in lower case. */
export function matchesPath(rule: Match, path: string, lower: string = path.toLowerCase()): boolean {
  if (rule.extensions === undefined && rule.globs === undefined) return true;
  if (rule.extensions?.some((extension) => lower.endsWith(extension.toLowerCase()))) return true;
  return rule.globs?.some((glob) => matchesGlob(glob, path)) ?? false;
}

/** Whether the magic side of a rule holds for the first bytes of a file. */
export function matchesMagic(rule: Match, head: Uint8Array): boolean {
  return rule.magic?.some((magic) => hasBytes(head, magic)) ?? true;
}

/** How many leading bytes the rules look at. */
export function magicSpan(rules: readonly Match[]): number {
  const ends = rules.flatMap((rule) => rule.magic ?? []).map(({ bytes, offset }) => offset + bytes.length / 2);
  return Math.max(0, ...ends);
}

function hasBytes(head: Uint8Array, { bytes, offset }: Magic): boolean {
  for (let at = 0; at < bytes.length; at += 2) {
    if (head[offset + at / 2] !== Number.parseInt(bytes.slice(at, at + 2), 16)) return false;
  }
  return true;
}
