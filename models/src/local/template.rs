//! Conversations as the model expects to read them. The one door to minijinja.

use minijinja::{Environment, Error, ErrorKind, context};
use playhouse_protocol::completion::ChatMessage;

use super::error::LocalErrorReason;

/// A step of the template engine is a few machine instructions. The limit ends a template that loops for ever.
const RENDER_FUEL: u64 = 50_000_000;
const NAME: &str = "chat";

/// The chat template of a model file.
#[derive(Debug)]
pub(super) struct Template {
    environment: Environment<'static>,
    start_text: String,
    end_text: String,
}

impl Template {
    /// Compiles the template. `start_text` and `end_text` are the texts of the tokens at both ends of a text.
    ///
    /// # Errors
    /// When it is not valid.
    pub(super) fn new(source: &str, start_text: String, end_text: String) -> Result<Self, LocalErrorReason> {
        let mut environment = Environment::new();
        // Templates are written for Python's engine with these settings, and call methods of Python's types.
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", |message: String| -> Result<String, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, message))
        });
        environment.set_fuel(Some(RENDER_FUEL));
        environment.add_template_owned(NAME, source.to_owned()).map_err(|error| failed(&error))?;
        Ok(Self { environment, start_text, end_text })
    }

    /// Frames the conversation and begins the model's answer.
    ///
    /// # Errors
    /// When the template refuses it, for example because two messages of one role follow each other.
    pub(super) fn render(&self, messages: &[ChatMessage]) -> Result<String, LocalErrorReason> {
        let template = self.environment.get_template(NAME).map_err(|error| failed(&error))?;
        let context = context! {
            messages => messages,
            add_generation_prompt => true,
            bos_token => self.start_text,
            eos_token => self.end_text,
        };
        template.render(context).map_err(|error| failed(&error))
    }
}

/// The error's kind and detail, which may quote the template but no message of the conversation.
fn failed(error: &Error) -> LocalErrorReason {
    let detail = error.detail().unwrap_or_default().lines().next().unwrap_or_default();
    LocalErrorReason::Template(format!("{} {detail}", error.kind()).trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(source: &str, messages: &[ChatMessage]) -> Result<String, String> {
        Template::new(source, "<s>".to_owned(), "</s>".to_owned())
            .and_then(|template| template.render(messages))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn conversation_is_framed_and_the_answer_begun() {
        let source = "{% for message in messages %}\n  {{- '<' + message['role'] + '>' + message.content.strip() }}\n\
                      {% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}{{ eos_token }}";
        let messages = [ChatMessage::system(" be brief "), ChatMessage::user("hi")];
        assert_eq!(render(source, &messages).unwrap(), "<system>be brief\n<user>hi\n<assistant></s>");
    }

    #[test]
    fn template_that_refuses_a_conversation_is_an_error_with_its_reason() {
        let error = render("{{ raise_exception('roles must alternate') }}", &[]).unwrap_err();
        assert!(error.contains("roles must alternate"), "{error}");
    }

    #[test]
    fn template_that_is_not_valid_is_an_error() {
        assert!(render("{% if %}", &[]).is_err());
    }

    #[test]
    fn template_that_never_ends_is_stopped() {
        let loops = "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}";
        assert!(render(loops, &[]).is_err());
    }
}
