//! The shape of a `generateContent` body (google-genai 3.4.0). Google's JSON takes both spellings of
//! every key, and a single thing where a list belongs: such places stay raw here.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
pub(super) struct Body<'a> {
    #[serde(borrow)]
    pub(super) contents: &'a RawValue,
    #[serde(borrow, default, rename = "systemInstruction", alias = "system_instruction")]
    pub(super) system: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) tools: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "toolConfig", alias = "tool_config")]
    pub(super) tool_config: Option<ToolConfig<'a>>,
    #[serde(borrow, default, rename = "generationConfig", alias = "generation_config")]
    pub(super) generation: Option<Generation<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Content<'a> {
    #[serde(borrow, default)]
    pub(super) role: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) parts: Option<&'a RawValue>,
}

/// One part of any kind: only the fields of its kind are there.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PartDef<'a> {
    #[serde(borrow, default)]
    pub(super) text: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) thought: Option<bool>,
    #[serde(borrow, default, alias = "thought_signature")]
    pub(super) thought_signature: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "inline_data")]
    pub(super) inline_data: Option<Blob<'a>>,
    #[serde(borrow, default, alias = "file_data")]
    pub(super) file_data: Option<FileData<'a>>,
    #[serde(borrow, default, alias = "function_call")]
    pub(super) function_call: Option<FunctionCall<'a>>,
    #[serde(borrow, default, alias = "function_response")]
    pub(super) function_response: Option<FunctionResponse<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Blob<'a> {
    #[serde(borrow, default, alias = "mime_type")]
    pub(super) mime_type: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) data: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FileData<'a> {
    #[serde(borrow, default, alias = "mime_type")]
    pub(super) mime_type: Option<&'a RawValue>,
    #[serde(borrow, alias = "file_uri")]
    pub(super) file_uri: &'a RawValue,
}

#[derive(Deserialize)]
pub(super) struct FunctionCall<'a> {
    #[serde(borrow, default)]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) name: &'a RawValue,
    #[serde(borrow, default)]
    pub(super) args: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct FunctionResponse<'a> {
    #[serde(borrow, default)]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) response: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) parts: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolSet<'a> {
    #[serde(borrow, default, alias = "function_declarations")]
    pub(super) function_declarations: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "google_search")]
    pub(super) google_search: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Declaration<'a> {
    #[serde(borrow)]
    pub(super) name: &'a RawValue,
    #[serde(borrow, default)]
    pub(super) description: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) parameters: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "parameters_json_schema")]
    pub(super) parameters_json_schema: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolConfig<'a> {
    #[serde(borrow, default, alias = "function_calling_config")]
    pub(super) function_calling_config: Option<CallingConfig<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CallingConfig<'a> {
    #[serde(borrow, default)]
    pub(super) mode: Option<Cow<'a, str>>,
    #[serde(borrow, default, alias = "allowed_function_names")]
    pub(super) allowed_function_names: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Generation<'a> {
    #[serde(default, alias = "max_output_tokens")]
    pub(super) max_output_tokens: Option<u64>,
    #[serde(borrow, default)]
    pub(super) temperature: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "top_p")]
    pub(super) top_p: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "stop_sequences")]
    pub(super) stop_sequences: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default, alias = "response_mime_type")]
    pub(super) response_mime_type: Option<Cow<'a, str>>,
    #[serde(borrow, default, alias = "response_json_schema")]
    pub(super) response_json_schema: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "response_schema")]
    pub(super) response_schema: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "thinking_config")]
    pub(super) thinking_config: Option<ThinkingConfig<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ThinkingConfig<'a> {
    #[serde(default, alias = "thinking_budget")]
    pub(super) thinking_budget: Option<i64>,
    #[serde(borrow, default, alias = "thinking_level")]
    pub(super) thinking_level: Option<Cow<'a, str>>,
    #[serde(default, alias = "include_thoughts")]
    pub(super) include_thoughts: Option<bool>,
}
