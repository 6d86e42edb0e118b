import { suggest } from '@ocijs/image/suggest';
import { type InstructionContext, refuse } from './context.ts';
import { splitFields } from './fields.ts';
import type { DeviceFlag } from './types.ts';

const keys = ['name', 'required'] as const;

/** `vendor.com/class`, alone or with the name of one device (Container Device Interface, "Kinds"). */
const deviceName =
  /^[a-z][a-z0-9_.-]*[a-z0-9]\/[a-z](?:[a-z0-9_-]*[a-z0-9])?(?:=(?:\*|[a-z0-9](?:[a-z0-9_.:-]*[a-z0-9])?))?$/i;

/** Reads the value of one `--device` flag of `RUN`: `vendor.com/class=name,required`, or `name=…,required=false`. */
export function readDevice(context: InstructionContext, value: string): DeviceFlag {
  let name: string | undefined;
  let required = false;
  for (const field of splitFields(value)) {
    const [, written = '', text] = /^([^=]*)(?:=(.*))?$/s.exec(field) ?? [];
    const key = written.toLowerCase();
    if (key === 'required') {
      if (text !== undefined && !/^(?:true|false|1|0)$/i.test(text))
        refuse(context, `required is true or false, not ${text}`, { token: text });
      required = text === undefined || /^(?:true|1)$/i.test(text);
    } else if (name === undefined) name = key === 'name' && text !== undefined ? text : field;
    else {
      const near = suggest(key, keys);
      refuse(context, `a device has no ${written}`, {
        token: field,
        hint: near === undefined ? `one of ${keys.join(', ')}` : `did you mean ${near}?`,
      });
    }
  }
  if (name === undefined || !deviceName.test(name))
    return refuse(context, `${name ?? value} is no name of a device`, {
      token: value,
      hint: 'for example --device=vendor.com/gpu=all',
    });
  return { name, required };
}
