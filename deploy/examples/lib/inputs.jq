# What is wrong with the inputs, by the contract's JSON Schema, as far as contracts of actions need one: one line, empty if nothing is.
def named($at): if $at == "" then "they" else $at end;
def faults($schema; $at):
  . as $value
  | (if type == "number" and . == floor then ["integer", "number"] else [type] end) as $types
  | if ($types | index($schema.type)) == null then "\(named($at)) must be \($schema.type), not \(type)"
    elif type == "object" then
      (($schema.required // [])[] | select(. as $name | $value | has($name) | not) | "\(.) is missing\(if $at == "" then "" else " in \($at)" end)"),
      (to_entries[] | . as {$key, $value}
        | if $schema.properties | has($key) then ($value | faults($schema.properties[$key]; "\($at)\(if $at == "" then "" else "." end)\($key)"))
          else "there is no input \($key); there are \($schema.properties | keys | join(", "))" end)
    elif type == "array" then
      (if length > ($schema.maxItems // infinite) then "\($at) has more than \($schema.maxItems) items" else empty end),
      (to_entries[] | . as {$key, $value} | $value | faults($schema.items; "\($at)[\($key)]"))
    elif type == "string" then
      (if length < ($schema.minLength // 0) then "\($at) is empty" else empty end),
      (if length > ($schema.maxLength // infinite) then "\($at) is longer than \($schema.maxLength) characters" else empty end),
      # A pattern's ^ and $ would hold for each line of a text. Text of several lines is therefore allowed only where the contract says so.
      (if ($schema.format != "text") and test("[[:cntrl:]]") then "\($at) has a line break or another control character"
       elif $schema.pattern != null and (test($schema.pattern) | not) then "\($at) must match \($schema.pattern)"
       else empty end)
    elif type == "number" then
      (if . < ($schema.minimum // -infinite) or . > ($schema.maximum // infinite)
       then "\($at) must be from \($schema.minimum) to \($schema.maximum)" else empty end)
    else empty end;
if length != 1 or (.[0] | type) != "object" then "they must be one JSON object"
else [.[0] | faults($contract[0].inputs; "")] | join("; ") end
