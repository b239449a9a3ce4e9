/** Passphrases for people: how good one looks, and one made by chance. */

export type Strength = 'weak' | 'fair' | 'strong';

/**
 * How hard a passphrase looks to guess, judged low rather than high: letters in a row count as words, of which few are
 * chosen, and repetitions and sequences count little. No list of passwords is looked at, so it is a hint and no proof.
 */
export function strengthOf(passphrase: string): Strength {
  const bits = bitsOf(withoutRepetition(passphrase));
  return bits < 45 ? 'weak' : bits < 65 ? 'fair' : 'strong';
}

/** What to tell the person who chose it; undefined for a strong one. */
export function strengthHint(strength: Strength): string | undefined {
  if (strength === 'strong') return undefined;
  return strength === 'weak'
    ? 'That looks easy to guess for whoever has a copy of the repository. Six words that have nothing to do with each other are better.'
    : 'That is fair; a word or two more would make it strong.';
}

/** Letters and digits that are not taken for each other. */
const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789';

/** 25 characters in five groups: 125 bits of chance. */
export function makePassphrase(random: (length: number) => Uint8Array): string {
  const letters = Array.from(random(25), (byte) => alphabet[byte % alphabet.length] ?? '');
  return [0, 5, 10, 15, 20].map((at) => letters.slice(at, at + 5).join('')).join('-');
}

/** One of some 2000 common words; each letter beyond six, and each capital inside, a little more. */
const wordBits = 11;

function bitsOf(text: string): number {
  let bits = 0;
  for (const [run] of text.matchAll(/\p{L}+|[^\p{L}]/gu)) {
    if (/\p{L}/u.test(run)) {
      const letters = Array.from(run);
      const capitals = letters.slice(1).filter((letter) => letter !== letter.toLowerCase()).length;
      const asWord = wordBits + 1.5 * Math.max(0, letters.length - 6) + 2 * capitals;
      bits += Math.min(4.7 * withoutSequences(letters), asWord);
    } else if (/\d/.test(run)) bits += 3.3;
    else bits += run === ' ' || run === '-' ? 0.5 : 5;
  }
  return bits;
}

/** How many letters are not just what follows the one before. */
function withoutSequences(letters: readonly string[]): number {
  return letters.reduce((count, letter, at) => {
    const step = at === 0 ? 9 : (letter.codePointAt(0) ?? 0) - (letters[at - 1]?.codePointAt(0) ?? 0);
    return count + (Math.abs(step) <= 1 ? 0.25 : 1);
  }, 0);
}

/** `abcabcabc` as `abc`. */
function withoutRepetition(text: string): string {
  return /^(.+?)\1+$/su.exec(text)?.[1] ?? text;
}
