import HTTPMessages

/// The few pages of this module: plain HTML, one stylesheet, no script.
enum Pages {
    static let stylesheet = """
        :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
        body { margin: 0; display: grid; place-items: center; min-height: 100vh; }
        main { width: min(22rem, 100vw - 3rem); padding: 1.5rem 0; }
        h1 { font-size: 1.4rem; margin: 0 0 1rem; }
        label { display: block; margin: .9rem 0 .25rem; }
        input { width: 100%; box-sizing: border-box; padding: .55rem .6rem; font: inherit;
            border: 1px solid GrayText; border-radius: .4rem; background: Field; color: FieldText; }
        button { margin: 1.2rem .5rem 0 0; padding: .55rem 1.1rem; font: inherit; border-radius: .4rem;
            border: 1px solid #1d5fd0; background: #1d5fd0; color: #fff; cursor: pointer; }
        button.plain { background: transparent; color: inherit; border-color: GrayText; }
        :focus-visible { outline: 3px solid #6ea0f5; outline-offset: 2px; }
        p[role=alert] { padding: .6rem .8rem; border-left: 4px solid #c62828; margin: 0 0 1rem; }
        """

    static func login(next: String, name: String = "", message: String? = nil) -> String {
        page(
            "Log in",
            """
            \(alert(message))<form method="post" action="/login">
            <input type="hidden" name="next" value="\(escaped(next))">
            <label for="name">Name</label>
            <input id="name" name="name" value="\(escaped(name))" autocomplete="username" required \
            autocapitalize="none" spellcheck="false"\(name.isEmpty ? " autofocus" : "")>
            <label for="password">Password</label>
            <input id="password" name="password" type="password" autocomplete="current-password" required\
            \(name.isEmpty ? "" : " autofocus")>
            <button type="submit">Log in</button>
            </form>
            """)
    }

    static func device(csrf: String, userCode: String, message: String? = nil) -> String {
        page(
            "Connect a device",
            """
            \(alert(message))<p>Only go on if you started this yourself: the device will act in your name.</p>
            <form method="post" action="/device">
            <input type="hidden" name="csrf" value="\(escaped(csrf))">
            <label for="user_code">Code on the device</label>
            <input id="user_code" name="user_code" value="\(escaped(userCode))" autocomplete="off" required \
            autocapitalize="characters" spellcheck="false">
            <button type="submit" name="answer" value="allow">Connect</button>
            <button type="submit" name="answer" value="refuse" class="plain">Refuse</button>
            </form>
            """)
    }

    static func program(csrf: String, name: String, action: String) -> String {
        page(
            "Connect a program",
            """
            <p>Only go on if you started this yourself: the program will act as <b>\(escaped(name))</b>.</p>
            <form method="post" action="\(escaped(action))">
            <input type="hidden" name="csrf" value="\(escaped(csrf))">
            <button type="submit" name="answer" value="allow">Connect</button>
            <button type="submit" name="answer" value="refuse" class="plain">Refuse</button>
            </form>
            """)
    }

    static func logout(csrf: String, target: String) -> String {
        page(
            "Log out",
            """
            <form method="post" action="/logout">
            <input type="hidden" name="csrf" value="\(escaped(csrf))">
            <input type="hidden" name="next" value="\(escaped(target))">
            <p>End the session in this browser?</p>
            <button type="submit">Log out</button>
            </form>
            """)
    }

    static func note(_ title: String, _ text: String) -> String {
        page(title, "<p>\(escaped(text))</p>")
    }

    private static func alert(_ message: String?) -> String {
        message.map { "<p role=\"alert\">\(escaped($0))</p>\n" } ?? ""
    }

    private static func page(_ title: String, _ content: String) -> String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(escaped(title)) - lakehouse</title>
        <link rel="stylesheet" href="/login.css">
        </head>
        <body>
        <main>
        <h1>\(escaped(title))</h1>
        \(content)
        </main>
        </body>
        </html>

        """
    }

    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
