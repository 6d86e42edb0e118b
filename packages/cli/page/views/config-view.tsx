import type { ImageReport } from '../../src/explore/model/report.ts';
import { Lines, Name } from '../parts/name.tsx';
import { Scroll } from '../parts/scroll.tsx';

/** What a container of the image starts with, and what else the image says of itself. */
export function ConfigView({ image }: { readonly image: ImageReport }) {
  const lists = [
    ...image.config,
    {
      title: 'Digests',
      facts: [
        ['Manifest', image.digest],
        ...image.layers.map(({ digest }, index) => [`Layer ${index + 1}`, digest]),
      ] as const,
    },
  ];
  return (
    <Scroll class="scroll" label="Configuration">
      <div class="facts">
        {lists.map(({ title, facts }) => (
          <section key={title}>
            <h2>{title}</h2>
            <table>
              <tbody>
                {facts.map(([name = '', value = ''], index) => (
                  <tr key={index}>
                    <th scope="row">
                      <Name text={name} />
                    </th>
                    <td>
                      <Lines text={value} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        ))}
      </div>
    </Scroll>
  );
}
