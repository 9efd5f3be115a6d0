import type { Command } from 'commander';
import type { CommandContext } from '../command-line.js';

/** `ocelli doctor`: whether this machine can train. */
export function addDoctorCommand(program: Command, context: CommandContext): void {
  program
    .command('doctor')
    .description('check Node, the engines, image decoding, disk and memory, and say what to do about problems')
    .option('--json', 'print the results as JSON')
    .addHelpText('after', '\nExample:\n  $ ocelli doctor')
    .action(async ({ json = false }: { json?: boolean }) => {
      const { doctorCommand } = await import('../doctor/doctor.js');
      context.exitCode = await doctorCommand(context.terminal, { json });
    });
}
