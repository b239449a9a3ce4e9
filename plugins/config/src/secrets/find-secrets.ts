/** Secrets in a configuration: by their form anywhere in the text, and by the name of their key. */

import type { ConfigDocument, Place } from '../document.ts';
import { lastName, leaves } from '../document.ts';
import { placeholder, secretKey, secretRules } from './rules.ts';

export interface FoundSecret {
  /** What it seems to be: `Hugging Face token`, `value of api_key`. */
  readonly name: string;
  readonly secret: string;
  readonly place: Place | undefined;
  readonly pointer: string | undefined;
}

/** Longer lines are no configuration, and a pattern could take long on them. */
const longestLine = 8192;
const shortestSecret = 6;

export function findSecrets(text: string, document: ConfigDocument | undefined): FoundSecret[] {
  const byForm = findByForm(text);
  const known = new Set(byForm.map(({ secret }) => secret));
  const byKey = document?.value === undefined ? [] : findByKey(document);
  return [...byForm, ...byKey.filter(({ secret }) => !holdsKnown(secret, known))];
}

/** Whether a string is or holds a secret, by its form or by the key that it stands under. */
export function isSecret(value: string, key: string): boolean {
  return isSecretValue(value, key) || findByForm(value).length > 0;
}

/** How a secret is shown: enough to find it, too little to use it. */
export function masked(secret: string): string {
  const shown = secret.length >= 16 ? secret.slice(0, 4) : '';
  return `${shown}… (${secret.length} characters)`;
}

function findByForm(text: string): FoundSecret[] {
  const found: FoundSecret[] = [];
  for (const [index, line] of text.split(/\r\n|\r|\n/).entries()) {
    if (line.length > longestLine) continue;
    const lower = line.toLowerCase();
    for (const { entropy, name, pattern, word } of secretRules) {
      if (!lower.includes(word)) continue;
      for (const match of line.matchAll(pattern)) {
        const secret = match[1] ?? match[0];
        if (entropyOf(secret) < entropy || placeholder.test(secret)) continue;
        const column = match.index + match[0].indexOf(secret) + 1;
        found.push({ name, secret, place: { line: index + 1, column }, pointer: undefined });
      }
    }
  }
  return found;
}

function findByKey({ places, value }: ConfigDocument): FoundSecret[] {
  if (value === undefined) return [];
  const found: FoundSecret[] = [];
  for (const [pointer, leaf] of leaves(value)) {
    const key = lastName(pointer);
    if (typeof leaf !== 'string' || !isSecretValue(leaf, key)) continue;
    found.push({ name: `value of ${key.slice(0, 60)}`, secret: leaf, place: places.get(pointer), pointer });
  }
  return found;
}

function isSecretValue(value: string, key: string): boolean {
  return (
    value.length >= shortestSecret &&
    value.length <= longestLine &&
    secretKey.test(key) &&
    !placeholder.test(value) &&
    !value.includes('${')
  );
}

function holdsKnown(secret: string, known: ReadonlySet<string>): boolean {
  return known.has(secret) || [...known].some((one) => secret.includes(one));
}

/** Bits per character (Shannon) of the characters' own distribution. */
function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum - (count / text.length) * Math.log2(count / text.length), 0);
}
