import { MbkError, selfTest } from '@mbk/core';
import type { SelfTestReport } from '@mbk/core';
import { MbkCommand } from '../base-command.ts';
import type { Styler } from '../output.ts';
import { renderTable } from '../render-table.ts';

export default class SelfTest extends MbkCommand {
  static override description =
    'Runs known-answer tests of everything that the safety of a backup rests on, in a worker thread, with the ' +
    'platform and with an independent implementation side by side. Ends with exit code 1 when one of them fails.';
  static override examples = ['<%= config.bin %> self-test', '<%= config.bin %> self-test --json'];

  async run(): Promise<void> {
    await this.parse(SelfTest);
    const report = await selfTest({ signal: this.signal });
    this.out.result(report, renderReport);
    if (report.failed > 0) {
      throw new MbkError('self-test-failed', `${report.failed} of ${report.answers.length} self-tests failed`);
    }
  }
}

function renderReport(report: SelfTestReport, style: Styler): string {
  const rows = report.answers.map((answer) => [
    answer.passed ? style('green', 'passed') : style('red', 'FAILED'),
    answer.name,
    answer.implementations.join(', '),
    answer.problem ?? answer.source,
  ]);
  return `${renderTable(['', 'FUNCTION', 'COMPUTED BY', 'KNOWN FROM'], rows)}\n\n${report.passed} passed, ${report.failed} failed, on Node ${report.node}`;
}
