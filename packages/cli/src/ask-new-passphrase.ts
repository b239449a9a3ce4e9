import { strengthHint, strengthOf } from './passphrase.ts';
import type { Prompts } from './prompts.ts';

/** A passphrase, typed twice; a weak one only by confirmation. Errors: `interrupted`. */
export async function askNewPassphrase(prompts: Prompts, message = 'Passphrase'): Promise<string> {
  for (;;) {
    const passphrase = await prompts.password(message, {
      check: (text) => (text === '' ? 'An empty passphrase protects nothing.' : undefined),
    });
    const strength = strengthOf(passphrase);
    const hint = strengthHint(strength);
    if (hint !== undefined) await prompts.warn(hint);
    if (strength === 'weak' && !(await prompts.confirm('Use it all the same?', false))) continue;
    const again = await prompts.password('The same again');
    if (again === passphrase) return passphrase;
    await prompts.warn('The two are not the same. Once more:');
  }
}
