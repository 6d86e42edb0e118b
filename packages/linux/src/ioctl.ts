import { declare, type NativeFunction } from './library.ts';

/** ioctl(2) with a structure that the kernel reads and writes. */
export const ioctl: NativeFunction = declare('int ioctl(int fd, unsigned long request, void *argument)');
