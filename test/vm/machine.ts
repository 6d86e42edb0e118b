import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Emulation throughout: hardware virtualisation is not where tests run, and an emulated processor of this kind has shown
 * itself right. `-cpu max` without 16-byte exchanges and one thread for all processors are for QEMU 7, which errs there.
 */
const options = [
  ...['-M', 'q35', '-accel', 'tcg,thread=single', '-cpu', 'max,cx16=off', '-smp', '2', '-m', '2048'],
  ...['-display', 'none', '-nodefaults', '-no-reboot'],
];

/** Runs a job in a new machine, which starts from a copy of the image; gives its exit code. */
export async function runMachine(machine: {
  /** The directory with `vmlinuz` and `root.img`. */
  readonly image: string;
  readonly job: string;
  /** A file for what the job prints: QEMU waits for nobody who reads a pipe slowly. */
  readonly output: string;
  /** A file for what the kernel prints. */
  readonly console: string;
  /** In milliseconds. */
  readonly limit: number;
}): Promise<number> {
  const { image, job, limit } = machine;
  const append = 'console=ttyS0 quiet panic=-1 random.trust_cpu=on root=/dev/nvme0n1 rw';
  const child = spawn(
    'qemu-system-x86_64',
    [
      ...options,
      ...['-serial', `file:${machine.console}`, '-kernel', join(image, 'vmlinuz'), '-append', append],
      ...['-drive', `file=${join(image, 'root.img')},if=none,id=root,format=raw,snapshot=on,cache=unsafe`],
      // The only NVMe device: with a second one, the kernel finds them in any order.
      ...['-device', 'nvme,drive=root,serial=root'],
      ...[
        '-drive',
        `file=${job},if=none,id=job,format=raw,readonly=on`,
        '-device',
        'virtio-blk-pci,drive=job',
      ],
      ...[
        '-device',
        'virtio-serial-pci',
        '-chardev',
        `file,id=out,path=${machine.output}`,
        '-device',
        'virtserialport,chardev=out,name=out',
      ],
      ...['-device', 'virtio-rng-pci'],
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  let printed = 0;
  const print = (): string => {
    const text = existsSync(machine.output) ? readFileSync(machine.output, 'utf8') : '';
    process.stdout.write(text.slice(printed));
    printed = text.length;
    return text;
  };
  const printer = setInterval(print, 1000);
  const timer = setTimeout(() => child.kill('SIGKILL'), limit);
  await once(child, 'close');
  clearTimeout(timer);
  clearInterval(printer);
  // Without this line the machine crashed, whatever QEMU says.
  const code = /exit code (\d+)\s*$/.exec(print())?.[1];
  return code === undefined ? 125 : Number(code);
}
