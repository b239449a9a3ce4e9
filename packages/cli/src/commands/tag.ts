import { addTag, isMbkError, listTags, MbkError, removeTag } from '@mbk/core';
import type { Repository, TagListRow } from '@mbk/core';
import { Args, Flags } from '../oclif.ts';
import { MbkCommand } from '../base-command.ts';
import { escapeForTerminal } from '../escape.ts';
import { formatMoment, shortId } from '../moment.ts';
import type { Styler } from '../output.ts';
import { renderTable } from '../render-table.ts';

export default class Tag extends MbkCommand {
  static override description =
    'Without arguments, or with `list`, lists tags. With a name and a revision it puts an annotated tag on that ' +
    'snapshot; tags live below their domain, so `v2` on a snapshot of healthcare is healthcare/v2. Tags never move; one ' +
    'that was mistyped is removed with --delete, and the log keeps the fact.';
  static override examples = [
    '<%= config.bin %> tag',
    '<%= config.bin %> tag v2 healthcare -m "approved by the board"',
    '<%= config.bin %> tag --delete healthcare/v2',
  ];
  static override args = {
    name: Args.string({ description: 'Name of a new tag; or `list`.', required: false }),
    revision: Args.string({ description: 'The snapshot to tag.', required: false }),
  };
  static override flags = {
    message: Flags.string({ char: 'm', description: 'Why the snapshot is tagged.', helpValue: 'TEXT' }),
    delete: Flags.string({ description: 'Remove this tag; its snapshot stays.', helpValue: 'NAME' }),
    domain: Flags.string({ char: 'd', description: 'List only tags of this domain.', helpValue: 'DOMAIN' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Tag);
    const { name, revision } = args;
    if (flags.delete !== undefined) {
      if (name !== undefined || flags.message !== undefined) throw usage('--delete stands alone');
      return this.remove(flags.repo, flags.delete);
    }
    if (revision !== undefined && name !== undefined) {
      return this.add(flags.repo, { name, revision, message: flags.message });
    }
    if (name !== undefined && name !== 'list')
      throw usage(`which snapshot should ${name} be put on?`, `Name it behind: \`mbk tag ${name} REVISION\`.`);
    if (flags.message !== undefined) throw usage('a message needs a name and a revision');
    return this.list(flags.repo, flags.domain);
  }

  private async list(repo: string | undefined, domain: string | undefined): Promise<void> {
    await this.withRepository(repo, (repository) => {
      const tags = listTags(repository, { domain });
      this.out.result({ tags }, (value, style, columns) =>
        renderTags(value.tags, { timezone: repository.timezone, columns }, style),
      );
    });
  }

  private async add(
    repo: string | undefined,
    request: { readonly name: string; readonly revision: string; readonly message: string | undefined },
  ): Promise<void> {
    await this.withRepository(repo, async (repository) => {
      const { name, revision } = request;
      if (!isRevision(repository, revision) && isRevision(repository, name)) {
        throw usage(
          `${revision} is no snapshot, and ${name} is`,
          `The new name comes first: \`mbk tag ${revision} ${name}\`.`,
        );
      }
      const added = await addTag(repository, { ...request, host: this.environment.host });
      this.out.result(added, ({ name, commit }) => `${escapeForTerminal(name)} is ${shortId(commit)} now.`);
    });
  }

  private async remove(repo: string | undefined, name: string): Promise<void> {
    await this.withRepository(repo, async (repository) => {
      const removed = await removeTag(repository, name);
      this.out.result(removed, ({ commit }) => `${escapeForTerminal(name)} is removed; it was ${shortId(commit)}.`);
    });
  }
}

function isRevision(repository: Repository, text: string): boolean {
  try {
    repository.resolve(text);
    return true;
  } catch (error) {
    if (!isMbkError(error)) throw error;
    return false;
  }
}

function renderTags(
  tags: readonly TagListRow[],
  { timezone, columns }: { readonly timezone: string; readonly columns: number | undefined },
  style: Styler,
): string {
  if (tags.length === 0) return 'There are no tags.';
  const rows = tags.map(({ name, commit, takenAt, isOfSnapshot }) => [
    escapeForTerminal(name),
    style('yellow', shortId(commit)),
    formatMoment(takenAt, timezone),
    isOfSnapshot ? '' : 'by hand',
  ]);
  return renderTable(['TAG', 'ID', 'TAKEN', ''], rows, { columns, cut: [0], drop: [3] });
}

function usage(message: string, remedy = 'See `mbk tag --help`.'): MbkError {
  return new MbkError('usage-invalid', message, { remedy });
}
