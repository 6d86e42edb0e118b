/** How much may still be sent to a thread that is slower than its sender. */
export interface Credit {
  /** Waits until something may be sent; false when nothing is wanted any more. */
  take(): Promise<boolean>;
  give(): void;
  close(): void;
}

/** Starts with room for `initial` messages. */
export function createCredit(initial: number): Credit {
  let left = initial;
  let closed = false;
  let waiting: (() => void) | undefined;
  const wake = (): void => {
    waiting?.();
    waiting = undefined;
  };
  return {
    async take() {
      while (left === 0 && !closed) {
        await new Promise<void>((resolve) => {
          waiting = resolve;
        });
      }
      left -= 1;
      return !closed;
    },
    give() {
      left += 1;
      wake();
    },
    close() {
      closed = true;
      wake();
    },
  };
}
