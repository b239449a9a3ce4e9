/**
 * The one error that a user can meet, and the one table of its codes.
 *
 * Codes are API: scripts and `--json` readers rely on them; messages are not. Every code has its line in
 * `docs/errors.md`, which a test holds against this table. Programming mistakes are `TypeError` or `RangeError`.
 */

/** Exit codes of the command line; the numbers are restic's where both have the case. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  incomplete: 3,
  noRepository: 10,
  lostRace: 11,
  wrongKey: 12,
  roleMayNot: 13,
  damaged: 20,
  interrupted: 130,
} as const;

interface ErrorRow {
  /** Exit code of a command that ends with this error. */
  readonly exit: (typeof exitCodes)[keyof typeof exitCodes];
  /** What the code means, one sentence. */
  readonly meaning: string;
  /** What to do, one sentence; a throw site may say it more precisely. */
  readonly remedy: string;
  /** Whether the same call may succeed when repeated unchanged. */
  readonly retry?: true;
}

const rows = {
  // Finding and opening a repository
  'repository-absent': {
    exit: 10,
    meaning: 'There is no repository at the place that was named.',
    remedy: 'Check the path, or make a repository there with `mbk init`.',
  },
  'repository-exists': {
    exit: 1,
    meaning: 'A repository already stands where a new one should be made.',
    remedy: 'Use the repository that is there, or name another place.',
  },
  'repository-unnamed': {
    exit: 2,
    meaning: 'No repository was named, and no `mbk.yaml` above the working folder names one.',
    remedy: 'Pass `--repo`, set MBK_REPOSITORY, or run `mbk init`.',
  },
  'format-unsupported': {
    exit: 1,
    meaning: 'The repository needs a format version or feature that this mbk does not know.',
    remedy: 'Update mbk, then try again.',
  },
  'secret-wrong': {
    exit: 12,
    meaning: 'The passphrase or key opens no slot of this repository.',
    remedy: 'Check the passphrase or key file; `mbk key list` on a host that can open it shows which slots exist.',
  },
  'secret-missing': {
    exit: 12,
    meaning: 'A passphrase or key is needed and none was given.',
    remedy: 'Set MBK_PASSPHRASE_FILE, MBK_PASSPHRASE_COMMAND, MBK_PASSPHRASE or MBK_KEY_FILE, or run on a terminal.',
  },
  'key-file-unsafe': {
    exit: 12,
    meaning: 'A key file can be read by others, or does not hold a key.',
    remedy: 'Run `chmod 600` on it, or name the right file.',
  },
  'slot-damaged': {
    exit: 20,
    meaning: 'A key slot or grant does not match its name: its bytes are damaged in both of its copies.',
    remedy: 'Open with another slot (a key file or the recovery key), then remove the damaged one.',
  },
  'slot-last': {
    exit: 1,
    meaning: 'Removing this slot would leave nobody who can open the repository.',
    remedy: 'Add another slot first with `mbk key add`.',
  },
  'slot-absent': {
    exit: 1,
    meaning: 'No slot has this id or name.',
    remedy: 'See `mbk key list`.',
  },
  'slot-ambiguous': {
    exit: 1,
    meaning: 'More than one slot has this name or start of an id.',
    remedy: 'Give the whole id that `mbk key list` shows.',
  },
  'slot-exists': {
    exit: 1,
    meaning: 'There is a slot with this name already, or one that this secret opens.',
    remedy: 'Choose another name or another secret, or remove the slot that is there with `mbk key remove`.',
  },
  'role-denied': {
    exit: 13,
    meaning: 'The role of the key that was used does not allow this.',
    remedy: 'Use a key whose role allows it, or ask an owner.',
  },

  // Storage
  'entry-absent': {
    exit: 20,
    meaning: 'An entry that the repository needs is not in the storage.',
    remedy: 'Run `mbk verify` to learn what is missing and what depends on it.',
  },
  'entry-damaged': {
    exit: 20,
    meaning: 'The bytes of an entry differ from what was written.',
    remedy: 'Run `mbk verify --data` to see the extent; snapshots of the same files heal lost packs.',
  },
  'blob-absent': {
    exit: 20,
    meaning: 'No live pack holds a blob that a snapshot needs.',
    remedy: 'Run `mbk repair index`, then snapshot the same files again to heal it.',
  },
  'value-invalid': {
    exit: 20,
    meaning: 'An authentic record holds a value that the format does not allow.',
    remedy: 'Run `mbk verify`; the record was written by a faulty or newer program.',
  },
  'codec-unknown': {
    exit: 1,
    meaning: 'A frame was written with a codec that this mbk does not know.',
    remedy: 'Update mbk, then try again.',
  },
  'backend-failed': {
    exit: 1,
    meaning: 'The storage answered with an error.',
    remedy: 'Check the storage and try again; nothing that was finished is lost.',
    retry: true,
  },
  'backend-full': {
    exit: 1,
    meaning: 'The storage has no room left.',
    remedy: 'Free room and run the command again; what was stored so far is used again.',
  },
  'backend-read-only': {
    exit: 1,
    meaning: 'The storage is read-only.',
    remedy: 'Make it writable, or use commands that only read.',
  },
  'backend-denied': {
    exit: 1,
    meaning: 'The storage refused access.',
    remedy: 'Check the permissions of the repository folder for this user.',
  },
  'backend-no-hard-links': {
    exit: 1,
    meaning: 'The filesystem of the repository folder has no hard links, which mbk needs to commit safely.',
    remedy: 'Keep the repository on a filesystem with hard links (ext4, XFS, btrfs, ZFS, APFS, NFS).',
  },
  'backend-read-short': {
    exit: 20,
    meaning: 'An entry is shorter than what the repository recorded.',
    remedy: 'Run `mbk verify` to see the extent.',
  },

  // The log
  'log-rolled-back': {
    exit: 20,
    meaning: 'The storage shows an older or different history than this host has already seen.',
    remedy: 'The storage was rolled back, replaced or tampered with: find out why before writing to it.',
  },
  'log-damaged': {
    exit: 20,
    meaning: 'A log entry does not authenticate or breaks the chain.',
    remedy: 'Run `mbk repair log`, which says what it would do first.',
  },
  'log-race-lost': {
    exit: 11,
    meaning: 'Other writers were faster every time this command tried to commit.',
    remedy: 'Run the command again; what was stored is used again.',
    retry: true,
  },
  'operation-unknown': {
    exit: 1,
    meaning: 'The log holds a required operation that this mbk does not know.',
    remedy: 'Update mbk, then try again.',
  },

  // Names and revisions
  'revision-unknown': {
    exit: 1,
    meaning: 'No snapshot, tag or domain matches the revision.',
    remedy: 'See `mbk log` and `mbk tag`.',
  },
  'revision-ambiguous': {
    exit: 1,
    meaning: 'The revision matches more than one snapshot.',
    remedy: 'Give more characters of the id.',
  },
  'object-unknown': {
    exit: 1,
    meaning: 'No Git object, blob or log entry has this id or number.',
    remedy: 'Check it; `mbk show` and `mbk ls --json` print ids.',
  },
  'path-absent': {
    exit: 1,
    meaning: 'The path is not in the snapshot.',
    remedy: 'See `mbk ls REV`.',
  },
  'name-invalid': {
    exit: 2,
    meaning: 'A domain, collection or tag name is not allowed.',
    remedy:
      'Domains are [a-z0-9][a-z0-9._-]{0,62}; collections are category/class; tags are letters, digits, `.`, `_`, `-`.',
  },
  'plugin-unusable': {
    exit: 1,
    meaning: 'A plugin that `mbk.yaml` names cannot be loaded, or is not what it should be.',
    remedy: 'Check the path or package under `plugins:`, or turn the plugin off there with `false`.',
  },
  'plugins-untrusted': {
    exit: 1,
    meaning: 'The project brings plugins along that this user does not trust, or not as they are now.',
    remedy: 'Look at them, then run `mbk trust`; or turn them off in `mbk.yaml` with `false`.',
  },
  'validation-failed': {
    exit: 3,
    meaning: 'A plugin found an error in an asset, and `--strict` lets no snapshot with errors into history.',
    remedy: 'Repair the asset, turn the check off in `mbk.yaml`, or take the snapshot without `--strict`.',
  },
  'tag-exists': {
    exit: 1,
    meaning: 'The tag exists; tags never move.',
    remedy: 'Choose another name.',
  },
  'capture-expired': {
    exit: 1,
    meaning: 'The files of this collection were given up by retention; its history remains.',
    remedy: 'Check out a newer snapshot; `mbk log` marks what expired.',
  },

  // Configuration and use
  'config-invalid': {
    exit: 2,
    meaning: 'mbk.yaml is not valid.',
    remedy: 'Mend the line that is named.',
  },
  'environment-invalid': {
    exit: 2,
    meaning: 'An MBK_ environment variable has a value that is not allowed.',
    remedy: 'Mend or unset the variable that is named.',
  },
  'usage-invalid': {
    exit: 2,
    meaning: 'The command was given arguments that do not fit.',
    remedy: 'See the command with `--help`.',
  },
  'source-absent': {
    exit: 1,
    meaning: 'A path to back up does not exist or cannot be read.',
    remedy: 'Check the path.',
  },
  'target-not-empty': {
    exit: 1,
    meaning: 'The folder to check out into is not empty.',
    remedy: 'Name a new folder with `--to`, or say with `--overwrite` what may be replaced.',
  },
  'target-unsafe': {
    exit: 1,
    meaning: 'Writing a file would leave the target folder or follow a link out of it.',
    remedy: 'Check out into a new folder that nobody else writes to.',
  },
  'target-collision': {
    exit: 1,
    meaning: 'Two names of the snapshot are one name in the target, which does not tell upper from lower case.',
    remedy: 'Check out into a folder on a file system that does, or check out the two paths one by one.',
  },
  'target-failed': {
    exit: 1,
    meaning: 'A file or folder could not be written in the target.',
    remedy: 'Check room and permissions, then run the checkout again with `--overwrite newer`.',
  },
  'hooks-untrusted': {
    exit: 1,
    meaning: 'The project has hooks that this user does not trust, or not as they are now.',
    remedy: 'Look at them, then run `mbk trust`; or go without them with `--no-hooks`.',
  },
  'hook-invalid': {
    exit: 2,
    meaning: 'A hook cannot be run: its program is absent, may not be run, or is named after no event.',
    remedy: 'Mend `hooks:` of mbk.yaml or the files in .mbk/hooks.',
  },
  'hook-refused': {
    exit: 1,
    meaning: 'A hook that runs before the work failed, so nothing was done.',
    remedy: 'Mend what it says, or go without hooks with `--no-hooks`.',
  },
  'hook-failed': {
    exit: 1,
    meaning: 'The work was done, but a hook that runs after it failed.',
    remedy: 'Mend what it says; what was done stays done.',
  },
  'plugin-invalid': {
    exit: 1,
    meaning: 'A package or module holds no mbk plugin, or one that breaks the contract.',
    remedy: 'Mend it; `mbk plugins create` writes one that works.',
  },
  'plugin-install-failed': {
    exit: 1,
    meaning: 'A plugin could not be installed or removed by npm.',
    remedy: 'See what npm says; the plugins that were there are still there.',
  },
  'plugin-absent': {
    exit: 1,
    meaning: 'No plugin package of this name is installed here.',
    remedy: 'See `mbk plugins list`; `--user` names those of the user.',
  },
  'git-failed': {
    exit: 1,
    meaning: 'Git is not installed, or refused: this may be no Git repository.',
    remedy: 'Run the command in a working folder of a Git repository.',
  },
  'git-hook-blocked': {
    exit: 1,
    meaning: 'A Git hook cannot be installed or uninstalled without losing what somebody else wrote.',
    remedy: 'Look at the file that is named, and move it away by hand.',
  },
  'local-state-failed': {
    exit: 1,
    meaning: 'The local cache or state folder cannot be used.',
    remedy: 'Check MBK_CACHE_DIR and MBK_STATE_DIR and their permissions.',
  },
  'self-test-failed': {
    exit: 1,
    meaning: 'This machine computes a hash, cipher or codec wrongly.',
    remedy: 'Do not back up with this machine or this Node; report it.',
  },
  interrupted: {
    exit: 130,
    meaning: 'The command was interrupted.',
    remedy: 'Run it again; what was stored is used again.',
  },
  internal: {
    exit: 1,
    meaning: 'mbk met a state that it should never reach.',
    remedy: 'Please report it with the text of this error.',
  },
} as const;

/** A code of the table; stable. */
export type ErrorCode = keyof typeof rows;

/** Every code with its exit code, meaning and remedy. */
export const errorTable: Readonly<Record<ErrorCode, ErrorRow>> = rows;

export interface MbkErrorOptions {
  /** Machine-readable facts: paths, ids, numbers. Never secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** What to do, when the table's general remedy can be said more precisely. */
  readonly remedy?: string;
  readonly cause?: unknown;
}

/** An error that a user can meet: what happened (message), a stable code, and what to do (remedy). */
export class MbkError extends Error {
  override readonly name = 'MbkError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;
  readonly remedy: string;

  constructor(code: ErrorCode, message: string, options: MbkErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.details = options.details ?? {};
    this.remedy = options.remedy ?? errorTable[code].remedy;
  }

  /** Exit code of a command that ends with this error. */
  get exitCode(): number {
    return errorTable[this.code].exit;
  }
}

/** Whether `error` is an MbkError with one of `codes` (any code when none is named). */
export function isMbkError(error: unknown, ...codes: readonly ErrorCode[]): error is MbkError {
  return error instanceof MbkError && (codes.length === 0 || codes.includes(error.code));
}
