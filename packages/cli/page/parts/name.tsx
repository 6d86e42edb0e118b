import { shownText } from '../../src/explore/model/names.ts';

/** Text from the image: what is invisible in it is shown, and it cannot turn the direction of what is round it. */
export function Name({ text, class: className }: { readonly text: string; readonly class?: string }) {
  return <bdi class={className === undefined ? 'name' : `name ${className}`}>{shownText(text)}</bdi>;
}

/** The same for what may have lines of its own. */
export function Lines({ text }: { readonly text: string }) {
  return (
    <>
      {text.split('\n').map((line, index) => (
        <div key={index}>
          <Name text={line} />
        </div>
      ))}
    </>
  );
}
