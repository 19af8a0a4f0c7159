// fetch HOW URL: ureq with the proxy of the environment. Prints the status and the body, or the error; exit 0 only for 200.
use std::error::Error;

type Outcome = Result<(u16, String), Box<dyn Error>>;

fn by_ureq2(url: &str) -> Outcome {
    let tls = std::sync::Arc::new(native_tls::TlsConnector::new()?);
    let agent = ureq2::AgentBuilder::new().tls_connector(tls).try_proxy_from_env(true).build();
    match agent.get(url).call() {
        Ok(reply) | Err(ureq2::Error::Status(_, reply)) => Ok((reply.status(), reply.into_string()?)),
        Err(error) => Err(Box::new(error)),
    }
}

fn by_ureq3(url: &str) -> Outcome {
    use ureq3::tls::{RootCerts, TlsConfig, TlsProvider};
    let tls = TlsConfig::builder().provider(TlsProvider::NativeTls).root_certs(RootCerts::PlatformVerifier).build();
    let agent: ureq3::Agent = ureq3::Agent::config_builder().tls_config(tls).http_status_as_error(false).build().into();
    let mut reply = agent.get(url).call()?;
    Ok((reply.status().as_u16(), reply.body_mut().read_to_string()?))
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let fetch = if arguments[1] == "ureq2" { by_ureq2 } else { by_ureq3 };
    match fetch(&arguments[2]) {
        Ok((status, body)) => {
            println!("{} {}", status, body);
            std::process::exit(if status == 200 { 0 } else { 1 });
        }
        Err(error) => {
            eprintln!("{}", error);
            std::process::exit(1);
        }
    }
}
