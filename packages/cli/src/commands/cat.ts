import { openFiles, readFileBytes } from '@mbk/core';
import { Args } from '../oclif.ts';
import { MbkCommand } from '../base-command.ts';
import { writeOut } from '../stdout.ts';

export default class Cat extends MbkCommand {
  static override description =
    'Writes the bytes of one file to standard output, as they were. Every part is checked before it is written, and the ' +
    'whole against the SHA-256 of the file at the end: only exit code 0 says that all of it is right. With --json only ' +
    'errors are JSON.';
  static override examples = ['<%= config.bin %> cat healthcare/2025-01-31:configs/train.yaml'];
  static override args = {
    file: Args.string({ description: 'Snapshot, a colon, and the path of a file in it.', required: true }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Cat);
    await this.withRepository(flags.repo, async (repository) => {
      const file = await openFiles(repository, args.file);
      for await (const part of readFileBytes(repository, file)) {
        if (!(await writeOut(process.stdout, part))) return;
      }
    });
  }
}
