import { initRepository, isDomainName, isTimezone, keyFileText, MbkError, recoveryKeyText } from '@mbk/core';
import type { InitReport, Secret } from '@mbk/core';
import { Args, Flags } from '../oclif.ts';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { MbkCommand } from '../base-command.ts';
import { escapeForTerminal, escapeMessage } from '../escape.ts';
import { converse } from '../init-conversation.ts';
import type { InitAnswers } from '../init-conversation.ts';
import { defaultKeyName } from '../key-name.ts';
import { findProject, findRepository, makeBackend, random, repositoryFolder, toolName } from '../open.ts';
import type { Styler } from '../output.ts';
import { configName, findConfig } from '../project/config.ts';
import { guessFolder, writeNewConfig } from '../project/write-config.ts';
import type { WrittenConfig } from '../project/write-config.ts';
import { formatCount } from '../quantities.ts';
import { lossWarning, renderRecoveryKey } from '../recovery-key.ts';
import { canAsk, terminalPrompts } from '../prompts.ts';
import { needsPerson, readKeyFile, readNewPassphrase, refuseRecoveryKey } from '../secret.ts';
import { proseColumns, wrapWords } from '../terminal-width.ts';
import { createSecretFile } from '../secret-file.ts';
import { shellWord } from '../shell-word.ts';
import type { SecretFile } from '../secret-file.ts';

/** Where a new project keeps its repository when nobody names a place. */
const defaultFolder = './backups';

interface Initialized {
  readonly repository: string;
  readonly folder: string;
  readonly slot: string;
  readonly timezone: string;
  /** Absolute path of the new key file. */
  readonly keyFile: string | null;
  /** Text of the recovery key, unless it went to a file or none was made. */
  readonly recoveryKey: string | null;
  readonly recoveryKeyFile: string | null;
  readonly config: WrittenConfig | null;
}

export default class Init extends MbkCommand {
  static override description =
    'Makes a repository and, in the current folder, a commented mbk.yaml guessed from the assets that are found. The ' +
    'passphrase is asked for twice, or comes from MBK_PASSPHRASE_FILE, MBK_PASSPHRASE_COMMAND or MBK_PASSPHRASE; with ' +
    'MBK_KEY_FILE or --key-file the first key is a key file. A recovery key is made as a second key and shown once.';
  static override examples = [
    '<%= config.bin %> init',
    '<%= config.bin %> init /srv/backups --recovery-key-file /media/usb/mbk-recovery.txt',
    '<%= config.bin %> init --key-file /root/mbk.key --no-recovery-key',
  ];
  static override args = {
    repo: Args.string({
      description: `Folder of the new repository. Else as with --repo, else ${defaultFolder}.`,
      required: false,
    }),
  };
  static override flags = {
    config: Flags.boolean({ description: 'Write mbk.yaml, unless there is one.', allowNo: true, default: true }),
    'key-file': Flags.string({
      description: 'Make a new key file there, mode 0600, and use it as the first key.',
      helpValue: 'PATH',
    }),
    'recovery-key': Flags.boolean({ description: 'Make a recovery key too.', allowNo: true, default: true }),
    'recovery-key-file': Flags.string({
      description: 'Write the recovery key to a new file, mode 0600, instead of showing it.',
      helpValue: 'PATH',
    }),
    domain: Flags.string({
      char: 'd',
      description: 'A domain of the project, for mbk.yaml; may be repeated. Else those that are found.',
      multiple: true,
      helpValue: 'DOMAIN',
    }),
    yes: Flags.boolean({
      char: 'y',
      description: 'Ask for nothing but a passphrase: take what was found and what is usual.',
    }),
    timezone: Flags.string({
      description: 'Time zone of dates in tags, such as Europe/Berlin. Else that of this system.',
      helpValue: 'ZONE',
    }),
  };

  async run(): Promise<void> {
    const { args, flags, metadata } = await this.parse(Init);
    const wrong = flags.domain?.find((name) => !isDomainName(name));
    if (wrong !== undefined) throw new MbkError('name-invalid', `${wrong} cannot be the name of a domain`);
    if (!flags['recovery-key'] && flags['recovery-key-file'] !== undefined) {
      throw new MbkError('usage-invalid', '--no-recovery-key and --recovery-key-file contradict each other');
    }
    this.adviseOnInterruption({ kept: 'nothing was made', goOn: 'Run it again at any time.' });
    const timezone = await this.chooseTimezone(flags.timezone);
    const named = await this.namedFolder(args.repo, flags.repo);
    if (named !== undefined) await refuseUnusable(named);
    const isAsked = canAsk(process) && !flags.yes && !this.out.json;
    const answers = isAsked
      ? await this.ask({
          folder: named,
          domains: flags.domain,
          writesConfig: flags.config && this.mayWriteConfig(),
          hasKeyFile: flags['key-file'] !== undefined,
          hasRecovery:
            flags['recovery-key-file'] !== undefined || metadata.flags['recovery-key']?.setFromDefault !== true,
        })
      : { isAgreed: true };
    if (!answers.isAgreed) throw new MbkError('interrupted', 'it was not agreed to');
    const folder = named ?? repositoryFolder(answers.folder ?? defaultFolder, process.cwd());
    await refuseUnusable(folder);
    const { secret, name, keyFile } = await this.firstKey(
      folder,
      flags['key-file'] ?? answers.keyFile,
      answers.passphrase,
    );
    // From here on a repository may be there.
    this.adviseOnInterruption(undefined);
    const recovery = flags['recovery-key'] && answers.recovery?.kind !== 'none';
    const recoveryPath =
      flags['recovery-key-file'] ?? (answers.recovery?.kind === 'file' ? answers.recovery.path : undefined);
    const recoveryFile = recoveryPath === undefined ? undefined : createOrDiscard(recoveryPath, keyFile);
    const report = await make([keyFile, recoveryFile], () =>
      initRepository({
        backend: makeBackend(folder),
        secret,
        name,
        recovery,
        timezone,
        random,
        tool: toolName(),
      }),
    );
    const isStored = this.storeRecoveryKey(report, recoveryFile);
    const shown = isStored ? undefined : report.recoveryKey;
    const config = flags.config ? this.writeConfig(folder, flags.domain ?? answers.domains) : null;
    this.out.result(
      {
        repository: report.repository,
        folder,
        slot: report.slot,
        timezone,
        keyFile: keyFile?.path ?? null,
        recoveryKey: shown === undefined ? null : recoveryKeyText(shown),
        recoveryKeyFile: isStored ? (recoveryFile?.path ?? null) : null,
        config,
      },
      (value, style, columns) =>
        (isAsked ? '\n' : '') +
        wrapWords(this.out.quiet ? secretText(shown, style) : renderInit(value, shown, style), columns ?? proseColumns),
    );
  }

  /** The conversation, about what was not said. */
  private async ask(said: {
    readonly folder: string | undefined;
    readonly domains: readonly string[] | undefined;
    readonly writesConfig: boolean;
    readonly hasKeyFile: boolean;
    readonly hasRecovery: boolean;
  }): Promise<InitAnswers> {
    const cwd = process.cwd();
    const never = [said.folder ?? resolve(defaultFolder)];
    const given = {
      folder: said.folder,
      guess: said.writesConfig ? guessFolder(cwd, { never, domains: said.domains }) : undefined,
      hasDomains: said.domains !== undefined,
      hasSecret: said.hasKeyFile || !needsPerson(this.environment.secrets),
      hasRecovery: said.hasRecovery,
    };
    return converse(terminalPrompts(process, this.signal), given, {
      random,
      defaultFolder,
      checkFolder: (text) => problemOf(() => refuseForeignFiles(repositoryFolder(text, cwd))),
      isSameDisk: (text) => isSameDisk(repositoryFolder(text, cwd), cwd),
      checkNewFile: (text) =>
        text === '' ? 'Name a file.' : existsSync(resolve(text)) ? 'There is a file; name a new one.' : undefined,
    });
  }

  /** Where the repository goes, if anybody said it. */
  private async namedFolder(argument: string | undefined, flag: string | undefined): Promise<string | undefined> {
    const cwd = process.cwd();
    if (argument !== undefined && flag !== undefined) {
      throw new MbkError('usage-invalid', `the repository is named twice: ${argument} and --repo ${flag}`);
    }
    if (argument !== undefined) return repositoryFolder(argument, cwd);
    try {
      return await findRepository({ repo: flag, environment: this.environment, cwd });
    } catch (error) {
      if (error instanceof MbkError && error.code === 'repository-unnamed') return undefined;
      throw error;
    }
  }

  private async chooseTimezone(flag: string | undefined): Promise<string> {
    const project = flag === undefined ? await findProject(this.environment, process.cwd()) : undefined;
    const timezone = flag ?? project?.timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone ?? 'UTC';
    if (isTimezone(timezone)) return timezone;
    throw new MbkError('usage-invalid', `${timezone} is no time zone that this system knows`, {
      details: { timezone },
      remedy: 'Write it like Europe/Berlin or UTC.',
    });
  }

  private async firstKey(
    folder: string,
    path: string | undefined,
    typed: string | undefined,
  ): Promise<{ readonly secret: Secret; readonly name: string; readonly keyFile: SecretFile | undefined }> {
    const { host, secrets: sources } = this.environment;
    const given = path ?? sources.keyFile;
    const kind = given === undefined ? 'passphrase' : 'key-file';
    const name = defaultKeyName(kind, { path: given, host });
    if (path !== undefined) {
      const key = random(32);
      const keyFile = createSecretFile(path);
      keyFile.write(keyFileText(key));
      return { secret: { kind: 'key-file', key }, name, keyFile };
    }
    if (given !== undefined) return { secret: { kind: 'key-file', key: readKeyFile(given) }, name, keyFile: undefined };
    const prompt = `Passphrase for the new repository in ${folder}`;
    const passphrase =
      typed === undefined
        ? await readNewPassphrase({ sources, env: process.env, prompt, signal: this.signal })
        : refuseRecoveryKey(typed);
    return { secret: { kind: 'passphrase', passphrase }, name, keyFile: undefined };
  }

  /** Whether the recovery key is in its file. Where it cannot be written it is shown after all, for it is not kept. */
  private storeRecoveryKey({ recoveryKey }: InitReport, file: SecretFile | undefined): boolean {
    if (file === undefined || recoveryKey === undefined) return false;
    try {
      file.write(`${recoveryKeyText(recoveryKey)}\n`);
      return true;
    } catch (error) {
      if (!(error instanceof MbkError)) throw error;
      this.out.notice(`${error.message}; the recovery key is shown instead`);
      return false;
    }
  }

  private mayWriteConfig(): boolean {
    return !existsSync(join(process.cwd(), configName)) && this.environment.config === undefined;
  }

  private writeConfig(folder: string, domains: readonly string[] | undefined): WrittenConfig | null {
    const cwd = process.cwd();
    if (!this.mayWriteConfig()) return null;
    try {
      const guess = guessFolder(cwd, { never: [folder], domains });
      return writeNewConfig(cwd, { guess, repository: textOf(folder, cwd) });
    } catch (error) {
      if (!(error instanceof MbkError)) throw error;
      // The repository stands: what is left to do can be done again.
      this.out.notice(`${error.message}; ${configName} is not written`);
      return null;
    }
  }
}

/** Whether the nearest folder that exists on the way to `folder` is on the file system of `other`. */
function isSameDisk(folder: string, other: string): boolean {
  const there = existsSync(folder) ? folder : dirname(folder);
  return there === folder || existsSync(there) ? statSync(there).dev === statSync(other).dev : isSameDisk(there, other);
}

/** What is wrong, as a sentence; undefined when nothing is. */
function problemOf(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (!(error instanceof MbkError)) throw error;
    return `${escapeMessage(error.message)}.`;
  }
}

/** What a repository consists of, so also what an init that was killed leaves. */
const ownNames = new Set([
  'mbk.json',
  'slots',
  'grants',
  'log',
  'state',
  'packs',
  'meta',
  'catalogue',
  'index',
  'audit',
  'copy',
  'tmp',
]);

/** Before anything is asked or made. Errors: `repository-exists`, `target-not-empty`. */
async function refuseUnusable(folder: string): Promise<void> {
  refuseForeignFiles(folder);
  if (!existsSync(join(folder, 'mbk.json'))) return;
  throw new MbkError('repository-exists', `there is a repository in ${folder} already`, { details: { folder } });
}

/** `target-not-empty` where a folder holds files of something else. */
function refuseForeignFiles(folder: string): void {
  if (!existsSync(folder)) return;
  const foreign = readdirSync(folder).find((name) => !ownNames.has(name));
  if (foreign === undefined) return;
  throw new MbkError('target-not-empty', `${folder} holds something else: ${foreign}`, {
    details: { folder, name: foreign },
    remedy: 'Name a new folder for the repository.',
  });
}

function createOrDiscard(path: string, other: SecretFile | undefined): SecretFile {
  try {
    return createSecretFile(path);
  } catch (error) {
    other?.discard();
    throw error;
  }
}

/** Makes the repository; where another stands there, the key files that were made for it go again. */
async function make(files: readonly (SecretFile | undefined)[], init: () => Promise<InitReport>): Promise<InitReport> {
  try {
    return await init();
  } catch (error) {
    // After any other failure they stay: the repository may have been made all the same.
    if (error instanceof MbkError && error.code === 'repository-exists') for (const file of files) file?.discard();
    throw error;
  }
}

/** How the repository stands in mbk.yaml: relative where it lies below the project. */
function textOf(folder: string, cwd: string): string {
  const path = relative(cwd, folder);
  return path === '' || path === '..' || path.startsWith('../') || isAbsolute(path) ? resolve(folder) : `./${path}`;
}

/** What is told even when quiet: it is shown this once. */
function secretText(recoveryKey: Uint8Array | undefined, style: Styler): string {
  return recoveryKey === undefined ? '' : renderRecoveryKey(recoveryKey, style);
}

/** Without an mbk.yaml the repository and what to take must be named. */
function nextStep({ config, folder }: Initialized): string {
  if (config !== null || findConfig(process.cwd()) !== undefined)
    return 'Next: `mbk snapshot --dry-run`, then `mbk snapshot`.';
  return `Next: \`mbk snapshot -r ${shellWord(escapeForTerminal(folder))} --domain NAME PATH\`.`;
}

function renderInit(made: Initialized, recoveryKey: Uint8Array | undefined, style: Styler): string {
  const { folder, keyFile, recoveryKeyFile, config } = made;
  const lines = [
    `${style('green', 'Made')} the repository ${made.repository.slice(0, 8)} in ${escapeForTerminal(folder)}.`,
  ];
  if (keyFile !== null) lines.push(`Its key file is ${escapeForTerminal(keyFile)}: keep a copy of it in a safe place.`);
  if (recoveryKey !== undefined) lines.push('', renderRecoveryKey(recoveryKey, style));
  if (recoveryKeyFile !== null) {
    lines.push(`Its recovery key is in ${escapeForTerminal(recoveryKeyFile)}: move it away from this machine.`);
  }
  lines.push('', style('bold', lossWarning), '');
  if (config !== null) {
    const found = `${formatCount(config.assets, 'asset')}, ${formatCount(config.domains.length, 'domain')}`;
    lines.push(
      `Wrote ${escapeForTerminal(basename(config.file))} from what was found here (${found}): look through it.`,
    );
  }
  lines.push(nextStep(made));
  return lines.join('\n');
}
