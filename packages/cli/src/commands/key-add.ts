import { addKey, checkKeyName, keyFileText, listKeys, recoveryKeyText } from '@mbk/core';
import type { KeyAdded, Repository, Secret } from '@mbk/core';
import { Flags } from '../oclif.ts';
import { MbkCommand } from '../base-command.ts';
import { escapeForTerminal } from '../escape.ts';
import { defaultKeyName } from '../key-name.ts';
import { renderRecoveryKey } from '../recovery-key.ts';
import { createSecretFile } from '../secret-file.ts';
import type { SecretFile } from '../secret-file.ts';
import { proseColumns, wrapWords } from '../terminal-width.ts';

export default class KeyAdd extends MbkCommand {
  static override description =
    'Adds a key that opens the repository: a passphrase (unless another kind is said), a key file, or a recovery key. ' +
    'The new passphrase is asked for twice, or comes from MBK_NEW_PASSPHRASE_FILE; the key in use opens the repository ' +
    'as always. To change a passphrase, add the new one, then remove the old one.';
  static override examples = [
    '<%= config.bin %> key add --passphrase --name "Ada, laptop"',
    '<%= config.bin %> key add --key-file /root/mbk.key',
    '<%= config.bin %> key add --recovery',
  ];
  static override flags = {
    passphrase: Flags.boolean({ description: 'Add a passphrase.', exclusive: ['key-file', 'recovery'] }),
    'key-file': Flags.string({
      description: 'Make a new key file there, mode 0600, and add it.',
      exclusive: ['recovery'],
      helpValue: 'PATH',
    }),
    recovery: Flags.boolean({ description: 'Make a recovery key and add it; it is shown once.' }),
    'recovery-key-file': Flags.string({
      description: 'Write the recovery key to a new file, mode 0600, instead of showing it.',
      dependsOn: ['recovery'],
      helpValue: 'PATH',
    }),
    name: Flags.string({ description: 'What the key is called.', helpValue: 'NAME' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(KeyAdd);
    const path = flags['key-file'];
    const kind = path !== undefined ? 'key-file' : flags.recovery ? 'recovery' : 'passphrase';
    await this.withRepository(flags.repo, async (repository) => {
      const name =
        flags.name ?? (await freeName(repository, defaultKeyName(kind, { path, host: this.environment.host })));
      checkKeyName(repository, name);
      const { secret, file } = await this.makeSecret(kind, path ?? flags['recovery-key-file']);
      const added = await this.add(repository, { secret, name, file });
      const isShown = kind === 'recovery' && file === undefined;
      const recoveryKey = isShown && secret.kind === 'recovery' ? recoveryKeyText(secret.key) : null;
      this.out.result({ ...added, file: file?.path ?? null, recoveryKey }, (_, style, columns) => {
        const lines = [addedText(added, file)];
        if (isShown && secret.kind === 'recovery') lines.push('', renderRecoveryKey(secret.key, style));
        return wrapWords(lines.join('\n'), columns ?? proseColumns);
      });
    });
  }

  /** The new secret, in its file already where it has one: a slot whose key is nowhere would be of no use. */
  private async makeSecret(
    kind: Secret['kind'],
    path: string | undefined,
  ): Promise<{ readonly secret: Secret; readonly file: SecretFile | undefined }> {
    if (kind === 'passphrase') {
      const { readFurtherPassphrase } = await import('../secret.ts');
      const { secrets: sources } = this.environment;
      const passphrase = await readFurtherPassphrase({ sources, prompt: 'New passphrase', signal: this.signal });
      return { secret: { kind, passphrase }, file: undefined };
    }
    const { random } = await import('../open.ts');
    const key = random(32);
    const file = path === undefined ? undefined : createSecretFile(path);
    file?.write(kind === 'key-file' ? keyFileText(key) : `${recoveryKeyText(key)}\n`);
    return { secret: { kind, key }, file };
  }

  private async add(
    repository: Repository,
    { secret, name, file }: { readonly secret: Secret; readonly name: string; readonly file: SecretFile | undefined },
  ): Promise<KeyAdded> {
    try {
      return await addKey(repository, { secret, name });
    } catch (error) {
      // It is kept: whether the key was added may be in doubt.
      if (file !== undefined) this.out.notice(`${file.path} holds a key; see \`mbk key list\` whether it was added`);
      throw error;
    }
  }
}

/** `base`, or with a number behind it, so that no two keys are called the same. */
async function freeName(repository: Repository, base: string): Promise<string> {
  const taken = new Set((await listKeys(repository)).map(({ name }) => name));
  let name = base;
  for (let number = 2; taken.has(name); number += 1) name = `${base} ${number}`;
  return name;
}

function addedText({ name, id, kind }: KeyAdded, file: SecretFile | undefined): string {
  const where = file === undefined ? '' : ` It is in ${escapeForTerminal(file.path)}: keep a copy in a safe place.`;
  const kindText = kind === 'key-file' ? 'key file' : kind === 'recovery' ? 'recovery key' : kind;
  // The names that are given unless another is asked for begin with the kind.
  const what = name.startsWith(kindText) ? name : `${kindText} ${name}`;
  return `Added the ${escapeForTerminal(what)} (${id.slice(0, 8)}).${where}`;
}
