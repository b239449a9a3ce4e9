import { catObject } from '@mbk/core';
import type { FoundObject } from '@mbk/core';
import { Args } from '../oclif.ts';
import { isUtf8 } from 'node:buffer';
import { MbkCommand } from '../base-command.ts';
import { writeOut } from '../stdout.ts';

export default class CatObject extends MbkCommand {
  static override description =
    'Writes one object to standard output, decrypted, checked, and otherwise as it is stored: a Git object of the ' +
    'catalogue (without the header that Git puts before it) by its id or the start of it, or a blob by its SHA-256.';
  static override examples = ['<%= config.bin %> cat-object 3f2a9c1d', '<%= config.bin %> cat-object 3f2a9c1d --json'];
  static override args = {
    id: Args.string({ description: '4 to 40 hex digits of a Git object, or the 64 of a blob.', required: true }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(CatObject);
    await this.withRepository(flags.repo, async (repository) => {
      const object = await catObject(repository, args.id);
      if (this.out.json) this.out.result(describe(object), () => '');
      else await writeOut(process.stdout, object.content);
    });
  }
}

/** Content as text, or hex where it is none. */
function describe({ id, type, content }: FoundObject): object {
  const buffer = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  return {
    id,
    type,
    size: content.byteLength,
    content: isUtf8(buffer) ? buffer.toString() : { hex: buffer.toString('hex') },
  };
}
