// Form fields with label, help and fault in one place.
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface Common {
  label: string;
  help?: ComponentChildren;
  fault?: string;
}

function Frame(props: Common & { id: string; children: ComponentChildren }) {
  return (
    <div class={`field ${props.fault ? "bad" : ""}`}>
      <label for={props.id}>{props.label}</label>
      {props.children}
      {props.fault ? (
        <p class="fault" id={`${props.id}-note`} role="alert">
          {props.fault}
        </p>
      ) : (
        props.help && (
          <p class="help" id={`${props.id}-note`}>
            {props.help}
          </p>
        )
      )}
    </div>
  );
}

export function Text(
  props: Common & {
    value: string;
    onInput: (value: string) => void;
    type?: "text" | "password" | "number" | "date";
    placeholder?: string;
    list?: string[];
    required?: boolean;
    mono?: boolean;
    lines?: number;
    name?: string;
  },
) {
  const id = useId();
  const common = {
    id,
    name: props.name,
    value: props.value,
    placeholder: props.placeholder,
    required: props.required,
    spellcheck: false,
    autocomplete: "off",
    class: props.mono ? "mono" : "",
    "aria-invalid": !!props.fault,
    "aria-describedby": props.help || props.fault ? `${id}-note` : undefined,
  };
  return (
    <Frame {...props} id={id}>
      {props.lines ? (
        <textarea {...common} rows={props.lines} onInput={(e) => props.onInput(e.currentTarget.value)} />
      ) : (
        <input
          {...common}
          type={(props.type ?? "text") as "text"}
          step={props.type === "number" ? "any" : undefined}
          autocomplete={props.type === "password" ? "new-password" : "off"}
          list={props.list ? `${id}-list` : undefined}
          onInput={(e) => props.onInput(e.currentTarget.value)}
        />
      )}
      {props.list && (
        <datalist id={`${id}-list`}>
          {props.list.map((item) => (
            <option key={item} value={item} />
          ))}
        </datalist>
      )}
    </Frame>
  );
}

export function Choice(props: Common & { value: string; options: (string | [string, string])[]; onChange: (value: string) => void; none?: string; name?: string }) {
  const id = useId();
  return (
    <Frame {...props} id={id}>
      <select
        id={id}
        name={props.name}
        value={props.value}
        aria-invalid={!!props.fault}
        aria-describedby={props.help || props.fault ? `${id}-note` : undefined}
        onChange={(e) => props.onChange(e.currentTarget.value)}
      >
        {props.none !== undefined && <option value="">{props.none}</option>}
        {props.options.map((option) => {
          const [value, text] = typeof option === "string" ? [option, option] : option;
          return (
            <option key={value} value={value}>
              {text}
            </option>
          );
        })}
      </select>
    </Frame>
  );
}

export function Check(props: { label: ComponentChildren; checked: boolean; onChange: (value: boolean) => void; help?: string; name?: string }) {
  return (
    <label class="check">
      <input type="checkbox" name={props.name} checked={props.checked} onChange={(e) => props.onChange(e.currentTarget.checked)} />
      <span>
        {props.label}
        {props.help && <small>{props.help}</small>}
      </span>
    </label>
  );
}
